//! The [`Cluster`] trait.

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::{Kind, Object, ObjectRef};

use crate::change::Changes;
use crate::error::{ReadError, WriteError};
use crate::selection::Selection;
use crate::view::{Found, KindFacts, Scope, View};
use crate::write::{Apply, EventRecord};

/// The watch of one object, by its name. It ends when the last handle is dropped.
#[async_trait]
pub trait ObjectWatch: Send + Sync + 'static {
    /// The watched object.
    fn object(&self) -> &ObjectRef;

    /// The whole object as it is now; `None` if it does not exist.
    ///
    /// # Errors
    /// Any [`ReadError`]; none of them means that the object does not exist.
    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError>;
}

/// A Kubernetes cluster.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// What discovery says about a kind.
    ///
    /// # Errors
    /// [`ReadError::NotServed`] if the API server does not serve it.
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError>;

    /// A version in which the API server serves a group and kind, asked anew: that of `kind` if it is served in that
    /// one. `None`: it serves none of them, so there are no such objects.
    ///
    /// # Errors
    /// It is not known.
    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError>;

    /// Starts a view, or widens the existing one, and returns when its initial list is complete.
    ///
    /// # Errors
    /// The first definite obstacle (not served, forbidden, unavailable). The view keeps retrying in
    /// the background, and a [`Change`](crate::Change) reports when it can be read.
    async fn watch(&self, view: View) -> Result<(), ReadError>;

    /// One object of a watched view, with at least the fields of the view.
    ///
    /// # Errors
    /// [`ReadError::NotSynced`] if there is no such view, or its initial list is not complete; or
    /// why it can't be read.
    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError>;

    /// The selected objects of a watched view, in namespace and name order, all from one point in
    /// time.
    ///
    /// # Errors
    /// As [`Cluster::get`].
    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError>;

    /// Looks one object up at the API server, whether or not a view keeps it. This takes a request. `None`: the object
    /// does not exist.
    ///
    /// # Errors
    /// Why it can't be read; never [`ReadError::NotSynced`].
    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError>;

    /// Watches one object by its name: for what the host itself uses, such as a Secret that
    /// authenticates requests. Needs no view of the kind, and no right to list it. Changes from
    /// this call on are reported as [`Change::Watched`](crate::Change::Watched).
    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch>;

    /// A new stream of the changes of all views, from this call on.
    fn subscribe(&self) -> Changes;

    /// Server-side apply. Returns the whole object as it is afterwards; reads of the views see that
    /// version from then on.
    ///
    /// # Errors
    /// Any [`WriteError`]; then nothing was changed.
    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError>;

    /// Deletes an object if it still has this uid and, if one is given, this resource version. Success if the object is
    /// gone already.
    ///
    /// # Errors
    /// [`WriteError::Stale`] if the object has another uid or version.
    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError>;

    /// Adds a finalizer to an object if it still has this uid. Success if the object has the
    /// finalizer already.
    ///
    /// # Errors
    /// [`WriteError::Stale`] if the object is gone or has another uid.
    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError>;

    /// Removes a finalizer from an object if it still has this uid. Success if the object or the
    /// finalizer is gone already.
    ///
    /// # Errors
    /// Any [`WriteError`]; then the finalizer may still be there.
    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError>;

    /// Publishes an Event.
    ///
    /// # Errors
    /// Any [`WriteError`]; then the Event is lost.
    async fn publish(&self, event: EventRecord) -> Result<(), WriteError>;
}
