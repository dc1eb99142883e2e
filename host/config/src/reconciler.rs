//! One reconciler's configuration, validated.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use mizzen_model::{Access, Fields, Kind, Lines, Selector};
use serde_json::Value;

use crate::http::Network;
use crate::pace::Pace;
use crate::problem::Problem;

/// The validated content of one `Reconciler` document.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconciler {
    /// `metadata.name`, which is also in its field manager and its label on objects.
    pub name: String,
    /// The origin of the document.
    pub origin: Origin,
    /// `metadata.generation`; 0 for a file.
    pub generation: i64,
    /// The source of its component.
    pub component: Component,
    /// Its subjects.
    pub subject: Subject,
    /// Predecessors that must be ready.
    pub after: Vec<String>,
    /// Predecessors that must have an outcome, of any readiness.
    pub after_any: Vec<String>,
    /// The plugin's configuration; `{}` by default.
    pub config: Value,
    /// What the plugin may do.
    pub grants: Grants,
    /// The limits of one call.
    pub limits: Limits,
    /// The paces of its disruptions, by name.
    pub pace: BTreeMap<String, Pace>,
    /// Whether its outcomes are applied.
    pub mode: Mode,
}

/// The origin of a document, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, and the line at which the document starts.
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The lines of its fields.
        lines: Lines,
    },
    /// An object of the cluster.
    Cluster,
}

/// The source of a component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// A file, absolute or relative to the document's folder (for the cluster: the host's plugin
    /// folder).
    File(PathBuf),
}

/// The subjects of a reconciler: a grant of everything that a subject is, to a plugin of which none
/// of it is declared or granted otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Their kind.
    pub kind: Kind,
    /// Their labels.
    pub labels: Selector,
    /// Their namespaces; empty: all.
    pub namespaces: Vec<String>,
    /// The fields that the plugin is given.
    pub fields: Fields,
}

/// What a plugin may do. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Kinds that it may read.
    pub read: Vec<Grant>,
    /// Kinds that it may have applied.
    pub apply: Vec<Grant>,
    /// Kinds whose objects of other parties it may patch.
    pub patch: Vec<Grant>,
    /// Kinds whose objects of other parties it may delete.
    pub delete: Vec<Grant>,
    /// Whether statuses of subjects are written; `None`: by default.
    pub status: Option<bool>,
    /// Whether subjects may have its finalizer; `None`: by default.
    pub finalizer: Option<bool>,
    /// The renderers that it may call, by their labels; `None`: none.
    pub renderers: Option<Selector>,
    /// The hosts to which it may send requests, and the credentials.
    pub network: Network,
}

/// Namespaces that a grant to write must name: Kubernetes' own, and the one in `deploy/manifests`, where the host runs.
pub const PRIVILEGED: [&str; 2] = ["kube-system", "mizzen-system"];

/// The grant of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The kind.
    pub kind: Kind,
    /// Only in these namespaces; empty: everywhere.
    pub namespaces: Vec<String>,
    /// Whether applies may take over fields that other field managers own.
    pub force: bool,
    /// Whether objects that exist already, and that no reconciler applied, may be adopted.
    pub adopt: bool,
    /// The fields that patches may set.
    pub fields: Fields,
}

/// The limits of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes of linear memory: stops a guest that eats the host's memory.
    pub memory: u64,
    /// Time from the call to its outcome: stops a guest that never returns.
    pub time: Duration,
    /// Bytes of an outcome: stops a guest that fills the host's memory with its outcome.
    pub outcome: u64,
    /// Host calls: stops a guest that keeps the host busy with reads.
    pub reads: u64,
    /// HTTPS requests, redirects included: stops a guest that makes the host flood a server.
    pub requests: u64,
}

/// Whether the outcomes of a reconciler are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They are applied.
    #[default]
    Enforce,
    /// The plugin is called and its outcome reported, but nothing is written.
    Plan,
    /// The plugin is not called.
    Paused,
}

// === impl Reconciler ===

impl Reconciler {
    /// Whether the statuses of its subjects are written.
    pub fn may_write_status(&self) -> bool {
        self.grants.status.unwrap_or_else(|| self.is_default_for_subject())
    }

    /// Whether its subjects may have its finalizer.
    pub fn may_add_finalizer(&self) -> bool {
        self.grants.finalizer.unwrap_or_else(|| self.is_default_for_subject())
    }

    /// Whether status and finalizer are granted with the subject. Those of built-in kinds belong to
    /// Kubernetes' own controllers: a Pod with a false status gets traffic, and one with a finalizer
    /// that stays blocks the drain of its node. Custom resources are made for reconcilers.
    fn is_default_for_subject(&self) -> bool {
        !self.subject.kind.is_built_in()
    }

    /// A problem at a field of its document, found when its component was loaded.
    pub fn problem(&self, field: &str, message: String) -> Problem {
        self.origin.problem("Reconciler", &self.name, field, message)
    }
}

// === impl Subject ===

impl Subject {
    /// All objects of a kind, with all of their fields.
    pub fn every(kind: Kind) -> Self {
        Self { kind, labels: Selector::everything(), namespaces: Vec::new(), fields: Fields::Whole }
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

    /// The grant of this access to a kind in a namespace (`None`: cluster-scoped, or all namespaces
    /// at once).
    pub fn find(&self, access: Access, kind: &Kind, namespace: Option<&str>) -> Option<&Grant> {
        self.all(access, kind, namespace).next()
    }

    /// All grants of this access to a kind in a namespace.
    ///
    /// A grant without namespaces covers all of them, except that it writes nothing in those whose workloads have the
    /// rights of the cluster or of the host.
    pub fn all(&self, access: Access, kind: &Kind, namespace: Option<&str>) -> impl Iterator<Item = &Grant> {
        let must_be_named = access != Access::Read && namespace.is_some_and(|own| PRIVILEGED.contains(&own));
        self.of(access).iter().filter(move |grant| {
            grant.kind == *kind && grant.covers(namespace) && !(must_be_named && grant.namespaces.is_empty())
        })
    }
}

impl Grant {
    /// The plain grant of a kind: in all namespaces, and with nothing that has to be named.
    pub fn everywhere(kind: Kind) -> Self {
        Self { kind, namespaces: Vec::new(), force: false, adopt: false, fields: Fields::Whole }
    }

    /// Whether it covers a namespace.
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
    /// A problem at a field of the document.
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
