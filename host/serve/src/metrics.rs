//! Metrics by reconciler: what each costs, and how its subjects stand.

use std::sync::Mutex;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use mizzen_engine::Snapshot;
use mizzen_engine::observe::{Called, Observer, Reconciled, Written};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::Shared;

/// Upper bounds of the call time's buckets, in seconds: a fresh instance takes 10 µs, a deadline is seconds.
const BUCKETS: [f64; 12] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct By {
    reconciler: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByResult {
    reconciler: String,
    result: Text,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByVerb {
    reconciler: String,
    verb: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByIntent {
    reconciler: String,
    verb: Text,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByState {
    reconciler: String,
    state: Text,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByPace {
    reconciler: String,
    pace: String,
    state: Text,
}

/// A label value that is known when the host is built.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Text(&'static str);

/// Counts what the engine does, and encodes it for Prometheus.
pub struct Metrics {
    registry: Mutex<Registry>,
    calls: Family<ByResult, Counter>,
    call_seconds: Family<By, Histogram>,
    reads: Family<By, Counter>,
    read_bytes: Family<By, Counter>,
    requests: Family<By, Counter>,
    received: Family<By, Counter>,
    writes: Family<ByVerb, Counter>,
    reconciles: Family<ByResult, Counter>,
    subjects: Family<ByState, Gauge>,
    planned: Family<ByIntent, Gauge>,
    disruptions: Family<ByPace, Gauge>,
    waiting: Gauge,
    running: Gauge,
    resting: Gauge,
    index: Gauge,
}

// === impl Metrics ===

impl Metrics {
    /// Metrics of a host that has done nothing yet.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("mizzen")),
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
            waiting: Gauge::default(),
            running: Gauge::default(),
            resting: Gauge::default(),
            index: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        registry.register("calls", "Calls of plugins, by how they ended", self.calls.clone());
        registry.register_with_unit(
            "call_duration",
            "Time from call to answer",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        registry.register("reads", "Distinct reads that calls made", self.reads.clone());
        registry.register_with_unit("read", "JSON handed to plugins", Unit::Bytes, self.read_bytes.clone());
        let requests =
            "HTTPS requests of plugins, those answered from the cache and those where redirects led included";
        registry.register("requests", requests, self.requests.clone());
        let received = "Answers to HTTPS requests handed to plugins";
        registry.register_with_unit("received", received, Unit::Bytes, self.received.clone());
        registry.register("writes", "Writes to the cluster, by what was done", self.writes.clone());
        registry.register("reconciles", "Reconciles, by how they ended", self.reconciles.clone());
        registry.register("subjects", "Subjects, by how they stand", self.subjects.clone());
        let planned = "Objects that reconcilers in mode Plan would write, and do not, by what would be done";
        registry.register("planned", planned, self.planned.clone());
        registry.register(
            "disruptions",
            "What is to be done to objects of others under a pace: what waits, what is under way, what was given up on",
            self.disruptions.clone(),
        );
        registry.register("waiting", "Reconciles that wait for their turn", self.waiting.clone());
        registry.register("running", "Reconciles under way", self.running.clone());
        let resting =
            "Reconciles that are to be asked about what has changed, once they have rested from a call that cost much";
        registry.register("resting", resting, self.resting.clone());
        registry.register("read_index_size", "Distinct reads held in the read index", self.index.clone());
    }

    /// Everything, in the OpenMetrics text format.
    pub fn encode(&self, snapshot: Option<&Snapshot>) -> String {
        if let Some(snapshot) = snapshot {
            self.take_in(snapshot);
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Writing to a String can't fail.
        let _ = encode(&mut text, &registry);
        text
    }

    fn take_in(&self, snapshot: &Snapshot) {
        // Whoever has left mode Plan plans nothing any more.
        self.planned.clear();
        // A pace that is no longer configured is no longer told of.
        self.disruptions.clear();
        for node in &snapshot.nodes {
            for pace in &node.paces {
                let states =
                    [("waiting", pace.deferred), ("under_way", pace.in_progress), ("given_up", pace.timed_out)];
                for (state, count) in states {
                    let labels = ByPace { reconciler: node.name.clone(), pace: pace.name.clone(), state: Text(state) };
                    self.disruptions.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
            let states = [("total", node.subjects), ("ready", node.ready), ("failed", node.failed)];
            for (state, count) in states {
                let labels = ByState { reconciler: node.name.clone(), state: Text(state) };
                self.subjects.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
            let Some(planned) = node.planned else { continue };
            for (verb, count) in [("create", planned.create), ("change", planned.change), ("delete", planned.delete)] {
                let labels = ByIntent { reconciler: node.name.clone(), verb: Text(verb) };
                self.planned.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        for (gauge, count) in [
            (&self.waiting, snapshot.queued),
            (&self.running, snapshot.active),
            (&self.resting, snapshot.cooling_down),
            (&self.index, snapshot.reads),
        ] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn called(&self, call: &Called<'_>) {
        let by = By { reconciler: call.reconciler.to_owned() };
        let result = ByResult { reconciler: by.reconciler.clone(), result: Text(call.result) };
        self.calls.get_or_create(&result).inc();
        self.call_seconds.get_or_create(&by).observe(call.took.as_secs_f64());
        self.reads.get_or_create(&by).inc_by(call.reads as u64);
        self.read_bytes.get_or_create(&by).inc_by(call.bytes);
        if call.requests > 0 {
            self.requests.get_or_create(&by).inc_by(call.requests);
            self.received.get_or_create(&by).inc_by(call.received);
        }
    }

    fn wrote(&self, write: &Written<'_>) {
        let by = ByVerb { reconciler: write.reconciler.to_owned(), verb: write.verb.to_string() };
        self.writes.get_or_create(&by).inc();
    }

    fn reconciled(&self, done: &Reconciled<'_>) {
        let result = Text(if done.failed { "failed" } else { "ok" });
        self.reconciles.get_or_create(&ByResult { reconciler: done.reconciler.to_owned(), result }).inc();
    }
}

impl EncodeLabelValue for Text {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.0.encode(encoder)
    }
}

pub(crate) async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let snapshot = shared.snapshots.now().await;
    let text = shared.metrics.encode(snapshot.as_ref());
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mizzen_engine::{NodeSnapshot, PaceSnapshot, PlanCounts, State};
    use mizzen_model::{Call, Kind, ObjectRef};

    use super::*;

    #[test]
    fn a_call_shows_under_its_reconciler_and_result() {
        let metrics = Metrics::new();
        let subject = ObjectRef::new(Kind::new("v1", "Pod"), Some("shop"), "cart");
        let took = Duration::from_millis(2);
        metrics.called(&Called {
            reconciler: "mtls",
            subject: &subject,
            call: Call::Reconcile,
            result: "Answered",
            took,
            reads: 3,
            bytes: 70,
            requests: 2,
            received: 9,
        });
        let text = metrics.encode(None);
        for line in [
            r#"mizzen_calls_total{reconciler="mtls",result="Answered"} 1"#,
            r#"mizzen_reads_total{reconciler="mtls"} 3"#,
            r#"mizzen_read_bytes_total{reconciler="mtls"} 70"#,
            r#"mizzen_requests_total{reconciler="mtls"} 2"#,
            r#"mizzen_received_bytes_total{reconciler="mtls"} 9"#,
            r#"mizzen_call_duration_seconds_bucket{le="0.0025",reconciler="mtls"} 1"#,
        ] {
            assert!(text.contains(line), "{line} not in:\n{text}");
        }
    }

    #[test]
    fn what_waits_runs_and_rests_is_counted() {
        let snapshot = Snapshot { queued: 3, active: 2, cooling_down: 1, ..Snapshot::default() };
        let text = Metrics::new().encode(Some(&snapshot));
        for line in ["mizzen_waiting 3\n", "mizzen_running 2\n", "mizzen_resting 1\n"] {
            assert!(text.contains(line), "{line} not in:\n{text}");
        }
    }

    #[test]
    fn what_is_planned_shows_while_it_is() {
        let metrics = Metrics::new();
        let node = |planned| NodeSnapshot {
            name: "mtls".into(),
            state: State::Running,
            digest: None,
            subjects: 1,
            ready: 1,
            failed: 0,
            last_error: None,
            gated: None,
            gated_unreported: false,
            planned,
            paces: vec![PaceSnapshot { name: "restarts".into(), deferred: 3, in_progress: 2, timed_out: 1 }],
            idle: true,
        };
        let snapshot = |planned| Snapshot { nodes: vec![node(planned)], ..Snapshot::default() };
        let text = metrics.encode(Some(&snapshot(Some(PlanCounts { create: 2, change: 0, delete: 1 }))));
        assert!(text.contains(r#"mizzen_planned{reconciler="mtls",verb="create"} 2"#), "{text}");
        let waiting = r#"mizzen_disruptions{reconciler="mtls",pace="restarts",state="waiting"} 3"#;
        assert!(text.contains(waiting), "{text}");
        let text = metrics.encode(Some(&snapshot(None)));
        assert!(!text.contains("mizzen_planned{"), "{text}");
    }
}
