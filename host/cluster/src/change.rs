//! Changes of a cluster, as its watches report them.

use std::sync::Arc;

use mizzen_model::{Kind, Object, ObjectRef};
use tokio::sync::mpsc;

use crate::view::Scope;

/// One change of a cluster.
#[derive(Clone, Debug)]
pub enum Change {
    /// An object was created, changed (in its projected fields or its labels) or deleted.
    Object {
        /// The scope of the view that reports it.
        scope: Scope,
        /// `None`: the object is new.
        before: Option<Arc<Object>>,
        /// `None`: the object is gone.
        after: Option<Arc<Object>>,
    },
    /// Whether the API server serves this kind changed.
    Served(Kind),
    /// An object with a [watch of its own](crate::Cluster::watch_object) was created, changed or
    /// deleted, or can be read again.
    Watched(ObjectRef),
}

/// The stream of changes, in order for each object.
pub type Changes = mpsc::UnboundedReceiver<Change>;
