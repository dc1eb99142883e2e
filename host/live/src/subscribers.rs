//! Sends changes to all subscribers.

use mizzen_cluster::{Change, Changes};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// The streams that receive changes.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(Mutex<Vec<mpsc::UnboundedSender<Change>>>);

impl Subscribers {
    /// A new stream of changes, from this call on.
    pub(crate) fn subscribe(&self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.0.lock().push(sender);
        changes
    }

    /// Sends a change to every stream that is still read. Never waits, so it may be called while a
    /// view is locked, which keeps the changes of an object in order.
    pub(crate) fn send(&self, change: &Change) {
        self.0.lock().retain(|sender| sender.send(change.clone()).is_ok());
    }
}
