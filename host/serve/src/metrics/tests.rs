use std::sync::Arc;
use std::time::Duration;

use mizzen_engine::observe::Traffic;
use mizzen_engine::{NodeSnapshot, PaceSnapshot, PlanCounts, State};
use mizzen_model::{Call, Kind, ObjectRef};

use super::*;

fn metrics() -> Metrics {
    Metrics::new(Arc::new(Vec::new))
}

fn subject() -> ObjectRef {
    ObjectRef::new(Kind::new("v1", "Pod"), Some("shop"), "cart")
}

fn node(planned: Option<PlanCounts>) -> NodeSnapshot {
    NodeSnapshot {
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
        queued: 2,
        idle: false,
    }
}

fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|own| own == *line), "{line} not in:\n{text}");
    }
}

#[test]
fn a_call_is_counted_by_reconciler_and_result() {
    let metrics = metrics();
    metrics.called(&Called {
        reconciler: "mtls",
        subject: &subject(),
        call: Call::Reconcile,
        result: "Answered",
        duration: Duration::from_millis(2),
        reads: 3,
        bytes: 70,
        traffic: Traffic { requests: 2, received: 9 },
    });
    assert_lines(
        &metrics.encode(None),
        &[
            r#"mizzen_calls_total{reconciler="mtls",result="Answered"} 1"#,
            r#"mizzen_reads_total{reconciler="mtls"} 3"#,
            r#"mizzen_read_bytes_total{reconciler="mtls"} 70"#,
            r#"mizzen_requests_total{reconciler="mtls"} 2"#,
            r#"mizzen_received_bytes_total{reconciler="mtls"} 9"#,
            r#"mizzen_call_duration_seconds_bucket{le="0.0025",reconciler="mtls"} 1"#,
        ],
    );
}

#[test]
fn queued_active_and_cooling_keys_are_counted() {
    let nodes = vec![node(None)];
    let snapshot = Snapshot { queued: 3, active: 2, cooling_down: 1, nodes, ..Snapshot::default() };
    let lines = [
        "mizzen_workqueue_depth 3",
        "mizzen_reconciles_active 2",
        "mizzen_workqueue_cooling_down 1",
        r#"workqueue_depth{name="mtls"} 2"#,
    ];
    assert_lines(&metrics().encode(Some(&snapshot)), &lines);
}

#[test]
fn intents_are_counted_in_mode_plan_alone() {
    let metrics = metrics();
    let snapshot = |planned| Snapshot { nodes: vec![node(planned)], ..Snapshot::default() };
    let text = metrics.encode(Some(&snapshot(Some(PlanCounts { create: 2, adopt: 0, change: 0, delete: 1 }))));
    let deferred = r#"mizzen_disruptions{reconciler="mtls",pace="restarts",state="deferred"} 3"#;
    assert_lines(&text, &[r#"mizzen_planned{reconciler="mtls",verb="create"} 2"#, deferred]);
    let text = metrics.encode(Some(&snapshot(None)));
    assert!(!text.contains("mizzen_planned{"), "{text}");
}

#[test]
fn dashboards_for_controller_runtime_find_reconciles_errors_times_and_retries() {
    let metrics = metrics();
    for (failed, retry) in [(true, false), (false, true)] {
        metrics.queued(&Queued { reconciler: "mtls", waited: Duration::from_millis(3), retry });
        metrics.reconciled(&Reconciled {
            reconciler: "mtls",
            subject: &subject(),
            reason: "Ready",
            message: "",
            failed,
            called: true,
            partial: false,
            writes: 0,
            duration: Duration::from_millis(20),
        });
    }
    assert_lines(
        &metrics.encode(None),
        &[
            r#"controller_runtime_reconcile_total{controller="mtls",result="error"} 1"#,
            r#"controller_runtime_reconcile_total{controller="mtls",result="success"} 1"#,
            r#"controller_runtime_reconcile_errors_total{controller="mtls"} 1"#,
            r#"controller_runtime_reconcile_time_seconds_bucket{le="0.05",controller="mtls"} 2"#,
            r#"workqueue_queue_duration_seconds_bucket{le="0.005",name="mtls"} 2"#,
            r#"workqueue_retries_total{name="mtls"} 1"#,
            r#"mizzen_reconciles_total{reconciler="mtls",result="failed"} 1"#,
        ],
    );
}

#[test]
fn requests_to_the_api_server_are_counted_by_code_and_method() {
    let counts = || {
        let count = |method, code, count| RequestCount { method, code, count };
        vec![count("GET", 200, 7), count("PATCH", 409, 2), count("GET", 0, 1)]
    };
    let metrics = Metrics::new(Arc::new(counts));
    metrics.encode(None);
    let lines = [
        r#"rest_client_requests_total{code="200",method="GET"} 7"#,
        r#"rest_client_requests_total{code="409",method="PATCH"} 2"#,
        r#"rest_client_requests_total{code="<error>",method="GET"} 1"#,
    ];
    assert_lines(&metrics.encode(None), &lines);
}
