//! Writes to the API server, by its own count: they show whether a test causes none.

use std::collections::BTreeMap;
use std::fmt;

/// The counter that is read.
const COUNTER: &str = "apiserver_request_total";

/// Groups whose objects are reviews: they are created, and not stored.
const REVIEWS: [&str; 2] = ["authentication.k8s.io", "authorization.k8s.io"];

/// A way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// An object was created.
    Create,
    /// An object was replaced.
    Update,
    /// An object was patched, other than by server-side apply.
    Patch,
    /// An object was applied server-side, whether that changed it or not.
    Apply,
    /// An object was deleted.
    Delete,
    /// All matching objects were deleted.
    DeleteCollection,
}

/// A kind of write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    /// How it was written.
    pub verb: Verb,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, e.g. `virtualservices`.
    pub resource: String,
    /// The subresource, e.g. `status`; empty for the object itself.
    pub subresource: String,
    /// Whether the API server accepted it (a status of 2xx).
    pub accepted: bool,
}

/// The number of writes of each kind, by all clients of the API server. Dry runs, tokens and access reviews do
/// not count. Counts start again whenever the API server starts.
///
/// The counter does not distinguish clients, so the controller-manager, the scheduler, kwok and the API server
/// itself count too: filter by resources that only one client writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteCounts(BTreeMap<Write, u64>);

/// Why writes can't be counted.
#[derive(Debug, thiserror::Error)]
pub enum WritesError {
    /// The API server does not serve metrics.
    #[error("the API server does not serve metrics")]
    NoMetrics(#[source] Box<kube::Error>),
    /// The credentials are unusable.
    #[error(transparent)]
    Credentials(#[from] crate::CredentialsError),
    /// The text of the metrics is malformed.
    #[error("{COUNTER} has a line that can't be read: {line}")]
    Malformed {
        /// The line.
        line: String,
    },
}

// === impl WriteCounts ===

impl WriteCounts {
    /// Reads the metrics of an API server, in the Prometheus text format.
    pub fn parse(metrics: &str) -> Result<Self, WritesError> {
        let mut counts = BTreeMap::new();
        for line in metrics.lines() {
            let Some(rest) = line.strip_prefix(COUNTER).and_then(|rest| rest.strip_prefix('{')) else { continue };
            let (labels, count) = series(rest).ok_or_else(|| WritesError::Malformed { line: line.to_owned() })?;
            if let Some(write) = Write::from_labels(&labels) {
                *counts.entry(write).or_default() += count;
            }
        }
        Ok(Self(counts))
    }

    /// The writes since `earlier`, which is from the same run of the API server.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |(write, count): (&Write, &u64)| {
            let added = count.saturating_sub(earlier.0.get(write).copied().unwrap_or(0));
            (added > 0).then(|| (write.clone(), added))
        };
        Self(self.0.iter().filter_map(difference).collect())
    }

    /// Only the writes for which `keep` is true.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&Write) -> bool) -> Self {
        Self(self.0.iter().filter(|(write, _)| keep(write)).map(|(write, count)| (write.clone(), *count)).collect())
    }

    /// Only this group's; empty for the core group.
    #[must_use]
    pub fn of_group(&self, group: &str) -> Self {
        self.only(|write| write.group == group)
    }

    /// Only this resource's, e.g. `virtualservices`, with its subresources.
    #[must_use]
    pub fn of_resource(&self, resource: &str) -> Self {
        self.only(|write| write.resource == resource)
    }

    /// Only this way of writing.
    #[must_use]
    pub fn of_verb(&self, verb: Verb) -> Self {
        self.only(|write| write.verb == verb)
    }

    /// Without leases and events, which are written all the time.
    #[must_use]
    pub fn without_heartbeats(&self) -> Self {
        self.only(|write| !matches!(&*write.resource, "leases" | "events"))
    }

    /// The number of accepted writes.
    pub fn total(&self) -> u64 {
        self.only(|write| write.accepted).0.values().sum()
    }

    /// The number of refused writes, e.g. for a conflict.
    pub fn refused(&self) -> u64 {
        self.only(|write| !write.accepted).0.values().sum()
    }

    /// Each kind of write, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&Write, u64)> {
        self.0.iter().map(|(write, count)| (write, *count))
    }
}

impl fmt::Display for WriteCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (write, count) in self.iter() {
            writeln!(f, "{count:>7} {write}")?;
        }
        Ok(())
    }
}

// === impl Write ===

impl Write {
    /// `None` for a read, or for a write that does not count.
    fn from_labels(labels: &BTreeMap<&str, String>) -> Option<Self> {
        let label = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
        let verb = match label("verb") {
            "POST" => Verb::Create,
            "PUT" => Verb::Update,
            "PATCH" => Verb::Patch,
            "APPLY" => Verb::Apply,
            "DELETE" => Verb::Delete,
            "DELETECOLLECTION" => Verb::DeleteCollection,
            _ => return None,
        };
        let is_not_stored =
            !label("dry_run").is_empty() || REVIEWS.contains(&label("group")) || label("subresource") == "token";
        (!is_not_stored).then(|| Self {
            verb,
            group: label("group").to_owned(),
            resource: label("resource").to_owned(),
            subresource: label("subresource").to_owned(),
            accepted: label("code").starts_with('2'),
        })
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.verb, self.resource)?;
        for (mark, text) in [('.', &self.group), ('/', &self.subresource)] {
            if !text.is_empty() {
                write!(f, "{mark}{text}")?;
            }
        }
        if self.accepted { Ok(()) } else { f.write_str(" (refused)") }
    }
}

/// Parses the labels and the count of a line, from after its opening brace.
fn series(mut rest: &str) -> Option<(BTreeMap<&str, String>, u64)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(count) = rest.strip_prefix('}') {
            return Some((labels, whole(count.trim())?));
        }
        let (name, value) = rest.split_once("=\"")?;
        let (value, after) = quoted(value)?;
        labels.insert(name, value);
        rest = after;
    }
}

/// Parses a label's value from after its opening quote, and returns the rest after the closing one.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

/// Parses a counter's value, which above a million has the form `1.234567e+06`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of requests is whole, not negative and far below 2^52"
)]
fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    (number >= 0.0 && number.fract() == 0.0 && number < 4.5e15).then_some(number as u64)
}

#[cfg(test)]
mod tests;
