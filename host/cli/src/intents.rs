//! What reconcilers would do, object by object.

use std::fmt;

use mizzen_engine::PlanCounts;
use mizzen_model::ObjectRef;
use serde::Serialize;
use serde_json::Value;

/// Everything that a set of reconcilers would do. Serialized, it is the output of `mizzen plan -o
/// json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Intents {
    /// By reconciler, then by object.
    pub(crate) changes: Vec<Intent>,
    /// Reconciles that would fail, by reconciler and subject.
    pub(crate) problems: Vec<Trouble>,
    /// Reconcilers that work in steps. The first step has no effect in a plan, so the next ones are
    /// not known.
    pub(crate) unfinished: Vec<Trouble>,
    /// What an API server would do otherwise than the rehearsal.
    pub(crate) warnings: Vec<String>,
}

/// What would be done to one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Intent {
    pub(crate) reconciler: String,
    pub(crate) subject: Name,
    pub(crate) verb: Verb,
    pub(crate) object: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
}

/// How an object would be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Verb {
    Create,
    /// It is another party's, and would be adopted.
    Adopt,
    Change,
    Delete,
    /// Its status would be written.
    Status,
}

/// A reconcile that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Trouble {
    pub(crate) reconciler: String,
    pub(crate) subject: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// The identity of an object, in the fields of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as Kubernetes calls them")]
pub(crate) struct Name {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

/// Whether writes of statuses are among the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statuses {
    Shown,
    Hidden,
}

/// What is different between two plans.
pub(crate) struct Difference {
    /// What the later plan has and the earlier one does not.
    pub(crate) new: Intents,
    /// Changes of the earlier plan that the later one does not have.
    pub(crate) gone: Vec<Intent>,
}

// === impl Intents ===

impl Intents {
    /// The difference from an earlier plan.
    pub(crate) fn since(&self, before: &Self) -> Difference {
        let gone = before.changes.iter().filter(|old| !self.changes.iter().any(|new| new.has_target_of(old)));
        let new = Self {
            changes: missing(&self.changes, &before.changes),
            problems: missing(&self.problems, &before.problems),
            unfinished: missing(&self.unfinished, &before.unfinished),
            warnings: missing(&self.warnings, &before.warnings),
        };
        Difference { new, gone: gone.cloned().collect() }
    }
}

impl From<&Intents> for PlanCounts {
    fn from(intents: &Intents) -> Self {
        let count = |verb: Verb| intents.changes.iter().filter(|intent| intent.verb == verb).count();
        let [create, adopt, change, delete] = [Verb::Create, Verb::Adopt, Verb::Change, Verb::Delete].map(count);
        Self { create, adopt, change, delete }
    }
}

fn missing<T: Clone + PartialEq>(of: &[T], from: &[T]) -> Vec<T> {
    of.iter().filter(|item| !from.contains(item)).cloned().collect()
}

// === impl Intent ===

impl Intent {
    /// Whether both are about the same object, or both about its status, and of the same
    /// reconciler.
    fn has_target_of(&self, other: &Self) -> bool {
        (&self.reconciler, &self.object, self.verb == Verb::Status)
            == (&other.reconciler, &other.object, other.verb == Verb::Status)
    }

    /// Kind and name of the object, and whether it is about its status.
    pub(crate) fn headline(&self) -> String {
        format!("{}{}", self.object, if self.verb == Verb::Status { " status" } else { "" })
    }

    /// Kind and name of the subject.
    pub(crate) fn subject(&self) -> String {
        format!("{} {}", self.subject.kind, self.subject.name)
    }
}

// === impl Name ===

impl Name {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    pub(crate) fn is_namespace(&self) -> bool {
        (&*self.api_version, &*self.kind) == ("v1", "Namespace")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

impl From<&ObjectRef> for Name {
    fn from(object: &ObjectRef) -> Self {
        Self {
            api_version: object.kind.api_version.to_string(),
            kind: object.kind.name.to_string(),
            namespace: object.namespace.as_deref().map(str::to_owned),
            name: object.name.to_string(),
        }
    }
}
