//! Views: which objects of a kind are watched, and which of their fields are kept.

use std::sync::Arc;

use mizzen_model::{Fields, Kind, Object};

/// Label of every object that a reconciler applies: the reconciler's name.
pub const RECONCILER_LABEL: &str = "mizzen.dev/reconciler";

/// The owner label, on every object that a reconciler applies: the digest of (reconciler, subject),
/// by which prune finds the objects of a key.
pub const OWNER_LABEL: &str = "mizzen.dev/owner";

/// Which objects of a kind are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All of them: what plugins read, and subjects.
    All,
    /// Those with [`RECONCILER_LABEL`]: what reconcilers applied. Keeps all other objects out of
    /// memory.
    Owned,
}

/// The objects and fields of a kind that a store keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The kind.
    pub kind: Kind,
    /// Which of its objects.
    pub scope: Scope,
    /// The projection: which fields of each object.
    pub fields: Fields,
}

/// An object as the API server has it, with its field managers.
#[derive(Clone, Debug)]
pub struct Found {
    /// The whole object.
    pub object: Arc<Object>,
    /// The field managers of everything but its status, in alphabetical order.
    pub managers: Vec<String>,
}

/// What the API server's discovery and the CRDs say about a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindFacts {
    /// The name in URLs and RBAC rules.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is a subresource, so that writing it does not change `metadata.generation`.
    pub status_subresource: bool,
    /// Whether `status.conditions` is a list keyed by `type`, so that each field manager can own
    /// its conditions.
    pub conditions_by_type: bool,
}
