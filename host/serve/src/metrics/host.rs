//! The host's own metrics, by reconciler: what each costs, and the state of its subjects.

use mizzen_engine::observe::{Called, Reconciled, Written};
use mizzen_engine::{NodeSnapshot, PlanCounts, Snapshot};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{ByPace, ByReconciler, ByResult, ByState, ByVerb, Word, set};

/// Upper bounds of the call duration in seconds: a fresh instance takes 10 µs, a time limit is some
/// seconds.
const BUCKETS: [f64; 12] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

pub(super) struct HostMetrics {
    calls: Family<ByResult, Counter>,
    call_seconds: Family<ByReconciler, Histogram>,
    reads: Family<ByReconciler, Counter>,
    read_bytes: Family<ByReconciler, Counter>,
    requests: Family<ByReconciler, Counter>,
    received: Family<ByReconciler, Counter>,
    writes: Family<ByVerb, Counter>,
    reconciles: Family<ByResult, Counter>,
    subjects: Family<ByState, Gauge>,
    planned: Family<ByVerb, Gauge>,
    disruptions: Family<ByPace, Gauge>,
    queued: Gauge,
    active: Gauge,
    cooling_down: Gauge,
    index: Gauge,
}

// === impl HostMetrics ===

impl HostMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            reads: Family::default(),
            read_bytes: Family::default(),
            requests: Family::default(),
            received: Family::default(),
            writes: Family::default(),
            reconciles: Family::default(),
            subjects: Family::default(),
            planned: Family::default(),
            disruptions: Family::default(),
            queued: Gauge::default(),
            active: Gauge::default(),
            cooling_down: Gauge::default(),
            index: Gauge::default(),
        };
        metrics.register_counters(registry);
        metrics.register_gauges(registry);
        metrics
    }

    fn register_counters(&self, registry: &mut Registry) {
        registry.register("calls", "Calls of plugins by result", self.calls.clone());
        let duration = "Duration of calls of plugins";
        registry.register_with_unit("call_duration", duration, Unit::Seconds, self.call_seconds.clone());
        registry.register("reads", "Distinct reads of calls", self.reads.clone());
        registry.register_with_unit("read", "JSON passed to plugins", Unit::Bytes, self.read_bytes.clone());
        let requests = "HTTPS requests of plugins, including cached ones and redirects";
        registry.register("requests", requests, self.requests.clone());
        let received = "Bodies of HTTPS responses passed to plugins";
        registry.register_with_unit("received", received, Unit::Bytes, self.received.clone());
        registry.register("writes", "Writes to the cluster by verb", self.writes.clone());
        registry.register("reconciles", "Reconciles by result", self.reconciles.clone());
    }

    fn register_gauges(&self, registry: &mut Registry) {
        registry.register("subjects", "Subjects by state", self.subjects.clone());
        let planned = "Objects that reconcilers in mode Plan would write, by verb";
        registry.register("planned", planned, self.planned.clone());
        let disruptions = "Patches and deletions of other parties' objects by pace and state";
        registry.register("disruptions", disruptions, self.disruptions.clone());
        registry.register("workqueue_depth", "Keys in the workqueue", self.queued.clone());
        registry.register("reconciles_active", "Reconciles in progress", self.active.clone());
        let cooling_down = "Keys to be reconciled when the cooldown of an expensive plugin ends";
        registry.register("workqueue_cooling_down", cooling_down, self.cooling_down.clone());
        registry.register("read_index_size", "Distinct reads in the read index", self.index.clone());
    }

    pub(super) fn update(&self, snapshot: &Snapshot) {
        // Modes, paces and reconcilers change with the configuration.
        self.planned.clear();
        self.disruptions.clear();
        self.subjects.clear();
        snapshot.nodes.iter().for_each(|node| self.update_reconciler(node));
        set(&self.queued, snapshot.queued);
        set(&self.active, snapshot.active);
        set(&self.cooling_down, snapshot.cooling_down);
        set(&self.index, snapshot.reads);
    }

    fn update_reconciler(&self, node: &NodeSnapshot) {
        let reconciler = || node.name.clone();
        for pace in &node.paces {
            let states =
                [("deferred", pace.deferred), ("in_progress", pace.in_progress), ("timed_out", pace.timed_out)];
            for (state, count) in states {
                let labels = ByPace { reconciler: reconciler(), pace: pace.name.clone(), state: Word(state) };
                set(&self.disruptions.get_or_create(&labels), count);
            }
        }
        for (state, count) in [("total", node.subjects), ("ready", node.ready), ("failed", node.failed)] {
            set(&self.subjects.get_or_create(&ByState { reconciler: reconciler(), state: Word(state) }), count);
        }
        let Some(planned) = node.planned else { return };
        let PlanCounts { create, adopt, change, delete } = planned;
        for (verb, count) in [("create", create), ("adopt", adopt), ("change", change), ("delete", delete)] {
            set(&self.planned.get_or_create(&ByVerb { reconciler: reconciler(), verb: verb.to_owned() }), count);
        }
    }

    pub(super) fn called(&self, call: &Called<'_>) {
        let by = ByReconciler { reconciler: call.reconciler.to_owned() };
        let result = ByResult { reconciler: by.reconciler.clone(), result: Word(call.result) };
        self.calls.get_or_create(&result).inc();
        self.call_seconds.get_or_create(&by).observe(call.duration.as_secs_f64());
        self.reads.get_or_create(&by).inc_by(call.reads as u64);
        self.read_bytes.get_or_create(&by).inc_by(call.bytes);
        if call.traffic.requests > 0 {
            self.requests.get_or_create(&by).inc_by(call.traffic.requests);
            self.received.get_or_create(&by).inc_by(call.traffic.received);
        }
    }

    pub(super) fn wrote(&self, write: &Written<'_>) {
        let by = ByVerb { reconciler: write.reconciler.to_owned(), verb: write.verb.to_string() };
        self.writes.get_or_create(&by).inc();
    }

    pub(super) fn reconciled(&self, done: &Reconciled<'_>) {
        let result = Word(if done.failed { "failed" } else { "ok" });
        self.reconciles.get_or_create(&ByResult { reconciler: done.reconciler.to_owned(), result }).inc();
    }
}
