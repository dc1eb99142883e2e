//! Metrics under the names of controller-runtime and client-go. A reconciler is a controller with
//! a workqueue of its own name.

use mizzen_engine::observe::{Queued, Reconciled};
use mizzen_engine::{Role, Snapshot};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{ByController, ByControllerAndResult, ByName, Word, set};

/// Upper bounds in seconds, from a reconcile that writes nothing to one that renders for minutes.
const BUCKETS: [f64; 12] = [0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0];

pub(super) struct StandardMetrics {
    reconciles: Family<ByControllerAndResult, Counter>,
    errors: Family<ByController, Counter>,
    time: Family<ByController, Histogram>,
    depth: Family<ByName, Gauge>,
    queue_duration: Family<ByName, Histogram>,
    retries: Family<ByName, Counter>,
    leads: Family<ByName, Gauge>,
}

// === impl StandardMetrics ===

impl StandardMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reconciles: Family::default(),
            errors: Family::default(),
            time: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            depth: Family::default(),
            queue_duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            retries: Family::default(),
            leads: Family::default(),
        };
        let controllers = registry.sub_registry_with_prefix("controller_runtime");
        controllers.register("reconcile", "Reconciles by result", metrics.reconciles.clone());
        controllers.register("reconcile_errors", "Failed reconciles", metrics.errors.clone());
        controllers.register_with_unit("reconcile_time", "Time of a reconcile", Unit::Seconds, metrics.time.clone());
        let queues = registry.sub_registry_with_prefix("workqueue");
        queues.register("depth", "Keys in the workqueue", metrics.depth.clone());
        let waited = "Time that a key was in the workqueue";
        queues.register_with_unit("queue_duration", waited, Unit::Seconds, metrics.queue_duration.clone());
        queues.register("retries", "Keys added again after a failure", metrics.retries.clone());
        let leads = "Whether this host reconciles: 1; another host does: 0";
        registry.register("leader_election_master_status", leads, metrics.leads.clone());
        metrics
    }

    pub(super) fn update(&self, snapshot: &Snapshot) {
        // Reconcilers that are no longer configured have no workqueue.
        self.depth.clear();
        for node in &snapshot.nodes {
            set(&self.depth.get_or_create(&ByName { name: node.name.clone() }), node.queued);
        }
        let leads = self.leads.get_or_create(&ByName { name: "mizzen".into() });
        set(&leads, usize::from(snapshot.role == Role::Leader));
    }

    pub(super) fn queued(&self, queued: &Queued<'_>) {
        let name = ByName { name: queued.reconciler.to_owned() };
        self.queue_duration.get_or_create(&name).observe(queued.waited.as_secs_f64());
        self.retries.get_or_create(&name).inc_by(u64::from(queued.retry));
    }

    pub(super) fn reconciled(&self, done: &Reconciled<'_>) {
        let by = ByController { controller: done.reconciler.to_owned() };
        self.time.get_or_create(&by).observe(done.duration.as_secs_f64());
        self.errors.get_or_create(&by).inc_by(u64::from(done.failed));
        let result = Word(if done.failed { "error" } else { "success" });
        self.reconciles.get_or_create(&ByControllerAndResult { controller: by.controller, result }).inc();
    }
}
