//! Hands changes to whoever subscribed.

use std::sync::{Mutex, PoisonError};

use mizzen_cluster::{Change, Changes};
use tokio::sync::mpsc;

/// The streams that changes go to.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Mutex<Vec<mpsc::UnboundedSender<Change>>>);

impl Subscribers {
    /// A new stream of changes, from now on.
    pub(crate) fn subscribe(&self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        changes
    }

    /// Sends a change to every stream that is still read. Never waits, so it may be called while a view is locked, which is
    /// what keeps an object's changes in order.
    pub(crate) fn send(&self, change: &Change) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|sender| sender.send(change.clone()).is_ok());
    }
}
