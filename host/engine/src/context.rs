//! What every reconcile works with: the cluster, and the tables that the controller shares with running reconciles.

use std::sync::Arc;

use mizzen_cluster::{Cluster, OwnershipKeys};
use mizzen_model::http::Fetch;
use parking_lot::{Mutex, MutexGuard};

use crate::claims::Claims;
use crate::observe::Observer;
use crate::pace::Paces;
use crate::reads::index::ReadIndex;
use crate::reads::renderers::Renderers;
use crate::settings::{Clock, Delays};

/// Shared by the controller and all running reconciles. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) renderers: Arc<Renderers>,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) clock: Clock,
    pub(crate) delays: Delays,
    pub(crate) ownership: OwnershipKeys,
    index: Arc<Mutex<ReadIndex>>,
    paces: Arc<Mutex<Paces>>,
    claims: Arc<Mutex<Claims>>,
}

// === impl Context ===

impl Context {
    pub(crate) fn new(
        cluster: Arc<dyn Cluster>,
        observer: Arc<dyn Observer>,
        fetch: Arc<dyn Fetch>,
        clock: Clock,
        delays: Delays,
        ownership: OwnershipKeys,
    ) -> Self {
        Self {
            cluster,
            observer,
            renderers: Arc::default(),
            fetch,
            clock,
            delays,
            ownership,
            index: Arc::default(),
            paces: Arc::new(Mutex::new(Paces::new(delays))),
            claims: Arc::default(),
        }
    }

    /// Which keys made which reads.
    pub(crate) fn index(&self) -> MutexGuard<'_, ReadIndex> {
        self.index.lock()
    }

    /// The disruptions in progress, and the keys that wait for one.
    pub(crate) fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock()
    }

    /// Which key owns which object.
    pub(crate) fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock()
    }
}
