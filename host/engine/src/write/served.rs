//! Waiting for a kind to be served whose definition was applied a moment ago.

use std::time::Duration;

use mizzen_cluster::{ReadError, Scope};
use mizzen_model::ObjectRef;
use tokio::time::Instant;

use super::writer::Writer;
use crate::backoff::doubling;

/// How long an API server may take to serve a new kind before that is reported; mostly it takes about 100 ms.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The first and the longest interval between two checks.
const FIRST_INTERVAL: Duration = Duration::from_millis(10);
const LONGEST_INTERVAL: Duration = Duration::from_millis(500);

impl Writer {
    /// Waits until the kind of an object is served. After the timeout, the write of the object reports that it is not.
    pub(super) async fn await_served(&self, object: &ObjectRef) {
        let started = Instant::now();
        for interval in doubling(FIRST_INTERVAL, LONGEST_INTERVAL) {
            let live = self.cluster().get(Scope::Owned, object);
            if !matches!(live, Err(ReadError::NotServed(_) | ReadError::NotSynced(_))) || started.elapsed() >= TIMEOUT {
                return;
            }
            tokio::time::sleep(interval).await;
            // Makes the cluster discover the kind, in case it was not notified of it.
            drop(self.cluster().facts(&object.kind).await);
        }
    }
}
