//! What was written to the API server, by its own count: the judge of "this makes no writes".

use std::collections::BTreeMap;
use std::fmt;

/// The counter that is read.
const COUNTER: &str = "apiserver_request_total";

/// Groups of questions that are asked by creating an object, which is not kept.
const QUESTIONS: [&str; 2] = ["authentication.k8s.io", "authorization.k8s.io"];

/// A way to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// An object was made.
    Create,
    /// An object was replaced.
    Update,
    /// An object was patched, other than by server-side apply.
    Patch,
    /// An object was applied server-side, whether that changed it or not.
    Apply,
    /// An object was deleted.
    Delete,
    /// All objects that fit were deleted.
    DeleteCollection,
}

/// What a write was.
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
    /// Whether the API server carried it out (an answer of 2xx).
    pub accepted: bool,
}

/// How often each thing was written, by everybody who talks to the API server. Dry runs, tokens and access reviews do not count. Counts begin anew whenever the API server starts.
///
/// The controller-manager, the scheduler, kwok and the API server's own bookkeeping count too, since the counter does not tell writers apart: filter by what
/// only the writer in question writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteCounts(BTreeMap<Write, u64>);

/// Why writes can't be counted.
#[derive(Debug, thiserror::Error)]
pub enum WritesError {
    /// The API server does not answer.
    #[error("the API server gives no metrics")]
    NoMetrics(#[source] Box<kube::Error>),
    /// The credentials are unusable.
    #[error(transparent)]
    Credentials(#[from] crate::CredentialsError),
    /// The text of the metrics is not as expected.
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

    /// What was written since `earlier` was read from the same run of the API server.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let difference = |(write, count): (&Write, &u64)| {
            let added = count.saturating_sub(earlier.0.get(write).copied().unwrap_or(0));
            (added > 0).then(|| (write.clone(), added))
        };
        Self(self.0.iter().filter_map(difference).collect())
    }

    /// Only the writes that `keep` says yes to.
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

    /// Without leases and events, which are written while nothing happens.
    #[must_use]
    pub fn without_heartbeats(&self) -> Self {
        self.only(|write| !matches!(&*write.resource, "leases" | "events"))
    }

    /// How many writes were carried out.
    pub fn total(&self) -> u64 {
        self.only(|write| write.accepted).0.values().sum()
    }

    /// How many writes were refused, e.g. for a conflict.
    pub fn refused(&self) -> u64 {
        self.only(|write| !write.accepted).0.values().sum()
    }

    /// Each write and how often it was made.
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
    /// `None`: a read, or a write that does not count.
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
        let nothing_is_kept =
            !label("dry_run").is_empty() || QUESTIONS.contains(&label("group")) || label("subresource") == "token";
        (!nothing_is_kept).then(|| Self {
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

/// The labels and the count of a line, from after its opening brace.
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

/// A label's value from after its opening quote, and what comes after the closing one.
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

/// A counter's value, which above a million is written like `1.234567e+06`.
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
