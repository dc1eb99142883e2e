//! One reconciler's configuration, validated.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mizzen_model::{Access, Kind, Lines, Selector};
use serde_json::Value;

use crate::http::Network;
use crate::pace::Pace;
use crate::problem::Problem;

/// One `Reconciler` document that made sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciler {
    /// `metadata.name`: its place in the order, its field manager, its label on objects.
    pub name: String,
    /// Where the document came from.
    pub origin: Origin,
    /// `metadata.generation`; 0 for a file.
    pub generation: i64,
    /// Where its component comes from.
    pub component: Component,
    /// Which objects it is asked about; `None`: all of the plugin's own subject kind.
    pub subject: Option<Subject>,
    /// Runs when these are ready.
    pub after: Vec<String>,
    /// Runs once these have answered, whatever they said.
    pub after_any: Vec<String>,
    /// The plugin's configuration; `{}` when none is given.
    pub config: Value,
    /// What it may touch.
    pub grants: Grants,
    /// What one call may cost.
    pub limits: Limits,
    /// How fast it may disrupt what others own, by name.
    pub pace: BTreeMap<String, Pace>,
    /// Whether it acts.
    pub mode: Mode,
}

/// Where a document came from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, and the line at which the document starts.
    File {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// The lines of its fields.
        lines: Lines,
    },
    /// An object of the cluster.
    Cluster,
}

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// A file, absolute or relative to the document's folder (for the cluster: to the host's plugin folder).
    File(PathBuf),
}

/// Which objects a reconciler is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Their kind.
    pub kind: Kind,
    /// Their labels.
    pub labels: Selector,
    /// Their namespaces; empty: all.
    pub namespaces: Vec<String>,
}

/// What a plugin may touch. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// What it may read.
    pub read: Vec<Grant>,
    /// What it may have applied.
    pub apply: Vec<Grant>,
    /// Of what it may set fields that others own.
    pub patch: Vec<Grant>,
    /// What it may delete that is not its own.
    pub delete: Vec<Grant>,
    /// Which renderers it may call, by their labels; `None`: none.
    pub renderers: Option<Selector>,
    /// Which hosts it may ask, and with which credentials.
    pub network: Network,
}

/// One kind that may be touched, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The kind.
    pub kind: Kind,
    /// Only in these namespaces; empty: everywhere.
    pub namespaces: Vec<String>,
    /// Whether applies may take over fields that other managers own.
    pub force: bool,
}

/// What one call may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of linear memory: stops a guest that eats the host's memory.
    pub memory: u64,
    /// Time from call to answer: stops a guest that never returns.
    pub time: Duration,
    /// Bytes of an outcome: stops a guest that makes the host build what it can't hold.
    pub outcome: u64,
    /// Host calls: stops a guest that keeps the host busy without computing itself.
    pub reads: u64,
    /// HTTPS requests, redirects included: stops a guest that has the host flood somebody.
    pub requests: u64,
}

/// Whether a reconciler acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It is asked, and what it wants is reported, but nothing is written.
    Plan,
    /// It is not asked.
    Paused,
}

// === impl Reconciler ===

impl Reconciler {
    /// What is wrong with a field of its document, found out when its component was looked at.
    pub fn problem(&self, field: &str, message: String) -> Problem {
        self.origin.problem("Reconciler", &self.name, field, message)
    }
}

// === impl Grants ===

impl Grants {
    /// The grants of one access.
    pub fn of(&self, access: Access) -> &[Grant] {
        match access {
            Access::Read => &self.read,
            Access::Apply => &self.apply,
            Access::Patch => &self.patch,
            Access::Delete => &self.delete,
        }
    }

    /// The grant that allows this access to a kind in a namespace (`None`: cluster-scoped, or all namespaces at once).
    pub fn find(&self, access: Access, kind: &Kind, namespace: Option<&str>) -> Option<&Grant> {
        self.of(access).iter().find(|grant| grant.kind == *kind && grant.covers(namespace))
    }
}

impl Grant {
    /// Whether it holds in this namespace.
    pub fn covers(&self, namespace: Option<&str>) -> bool {
        self.namespaces.is_empty()
            || namespace.is_some_and(|namespace| self.namespaces.iter().any(|own| own == namespace))
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, time: Duration::from_secs(5), outcome: 4 << 20, reads: 10_000, requests: 20 }
    }
}

// === impl Origin ===

impl Origin {
    /// What is wrong with a field of a document from here.
    pub(crate) fn problem(&self, kind: &str, name: &str, field: &str, message: String) -> Problem {
        let (file, line) = match self {
            Self::File { file, lines, .. } => (Some(file.clone()), Some(lines.line(field))),
            Self::Cluster => (None, None),
        };
        Problem { kind: kind.into(), name: name.into(), file, line, field: field.to_owned(), message }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, .. } => write!(f, "{}:{line}", file.display()),
            Self::Cluster => f.write_str("cluster"),
        }
    }
}
