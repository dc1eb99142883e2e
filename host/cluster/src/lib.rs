//! The cluster as the engine sees it: the [`Cluster`] trait, and `Memory`, a cluster in a folder of YAML.
//!
//! ```text
//!   engine ── watch(view) ──► Cluster ◄── Live (host/live): reflectors on a real API server
//!     ▲                         │    ◄── Memory: documents in memory, for plan, dev and tests
//!     └──── Change (who read it?)┘
//! ```
//! Reads are synchronous: they come out of a [`store::Store`] that a watch keeps. Writes are requests.

mod error;
pub mod memory;
mod selection;
pub mod store;
mod write;

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use tokio::sync::mpsc;

pub use error::{ForeignField, ReadError, WriteError};
pub use selection::Selection;
pub use write::{Apply, EventRecord, Target};

/// Label of every object that a reconciler applies: the reconciler's name.
pub const RECONCILER_LABEL: &str = "mizzen.dev/reconciler";

/// Label of every object that a reconciler applies: digest of (reconciler, subject), which is what prune looks for.
pub const OWNER_LABEL: &str = "mizzen.dev/owner";

/// Which objects of a kind are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All of them: what plugins read, and subjects.
    All,
    /// Those with [`RECONCILER_LABEL`]: what reconcilers applied. Keeps everybody else's objects out of memory.
    Owned,
}

/// What to keep of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The kind.
    pub kind: Kind,
    /// Which of its objects.
    pub scope: Scope,
    /// Which of their fields.
    pub fields: Fields,
}

/// What the API server says of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindFacts {
    /// The name in URLs and RBAC rules.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Whether `status` is a subresource, and so does not touch `metadata.generation`.
    pub status_subresource: bool,
    /// Whether `status.conditions` is a list keyed by `type`, so that several field managers can each own theirs.
    pub conditions_by_type: bool,
}

/// Something that changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// An object came, changed (in the fields that are kept, or in its labels) or went.
    Object {
        /// Which view saw it.
        scope: Scope,
        /// `None`: it is new.
        before: Option<Arc<Object>>,
        /// `None`: it is gone.
        after: Option<Arc<Object>>,
    },
    /// Whether the API server serves this kind changed.
    Served(Kind),
    /// An object with a [watch of its own](Cluster::watch_object) was created, changed or deleted, or can be read
    /// again.
    Watched(ObjectRef),
}

/// Where changes arrive, in order for each object.
pub type Changes = mpsc::UnboundedReceiver<Change>;

/// The watch of one object, by its name. It ends when the last handle is dropped.
#[async_trait]
pub trait ObjectWatch: Send + Sync + 'static {
    /// The watched object.
    fn object(&self) -> &ObjectRef;

    /// The whole object as it is now; `None` if it does not exist.
    ///
    /// # Errors
    /// As for every read: none of them means that the object does not exist.
    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError>;
}

/// A Kubernetes cluster.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// What the API server says of a kind; `ReadError::NotServed` when it does not serve it.
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError>;

    /// Starts keeping a view, or widens the one there is, and returns when its first list is complete.
    ///
    /// # Errors
    /// The first definite obstacle (not served, forbidden, unreachable). The view goes on being tried in the background, and a
    /// [`Change`] tells when it comes to life.
    async fn watch(&self, view: View) -> Result<(), ReadError>;

    /// One object of a watched view, with at least the fields of the view.
    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError>;

    /// The objects of a watched view that are selected, in namespace and name order, all from one point in time.
    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError>;

    /// Watches one object by its name: for what the host itself uses, such as a Secret that authenticates requests.
    /// Needs no view of the kind, and no right to list it. Changes from this call on are reported as
    /// [`Change::Watched`].
    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch>;

    /// A new stream of changes of all views, from now on.
    fn subscribe(&self) -> Changes;

    /// Server-side apply. Returns the whole object as it is afterwards, which reads of the views see from then on.
    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError>;

    /// Deletes an object if it still has this uid. An object that is gone already is success.
    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError>;

    /// Adds a finalizer to the object if it still has this uid. Success if the object has the finalizer already.
    ///
    /// # Errors
    /// [`WriteError::Stale`] if the object is gone or has another uid.
    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError>;

    /// Removes a finalizer from the object if it still has this uid. Success if the object or the finalizer is gone
    /// already.
    ///
    /// # Errors
    /// [`WriteError::Unavailable`] and the like; then the finalizer may still be there.
    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError>;

    /// Publishes an Event.
    async fn publish(&self, event: EventRecord) -> Result<(), WriteError>;
}
