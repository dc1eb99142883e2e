//! Disruptions of other parties' objects start as fast as their pace allows, and no faster.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::support::{PluginBuilder, Stage, a_shop, count, memory, plugin, put};
use mizzen_cluster::memory::Memory;
use mizzen_config::{Grant, Pace};
use mizzen_engine::{NodeSpec, PaceSnapshot};
use mizzen_model::{Access, Deletion, Kind, Need, ObjectRef, Outcome, Patch, Readiness};
use serde_json::{Value, json};

const NOW: &str = "2026-01-05T12:00:00Z";
const SECOND: Duration = Duration::from_secs(1);

fn deployment(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::new("apps/v1", "Deployment"), Some("a"), name)
}

fn pod(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::new("v1", "Pod"), Some("a"), name)
}

/// A cluster with a shop and `number` Deployments `d0`, … that are rolled out.
fn deployments(number: usize) -> Memory {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"hash": "1"})));
    for at in 0..number {
        let name = format!("d{at}");
        put(
            &memory,
            &json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "a"},
                "spec": {"replicas": 1, "template": {"metadata": {}}},
            }),
        );
        roll_out(&memory, &name);
    }
    memory
}

/// Reports a rollout as complete, as the Deployment's controller does.
fn roll_out(memory: &Memory, name: &str) {
    let rolled_out = |object: &mut Value| {
        let counts = json!({"observedGeneration": object["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1,
                            "readyReplicas": 1, "availableReplicas": 1});
        object["status"] = counts;
    };
    memory.edit("kube-controller-manager", &deployment(name), rolled_out).unwrap();
}

fn miss_the_deadline(memory: &Memory, name: &str) {
    let missed = |object: &mut Value| {
        let reason = "ProgressDeadlineExceeded";
        let conditions = json!([{"type": "Progressing", "status": "False", "reason": reason, "message": "timed out"}]);
        object["status"] = json!({"observedGeneration": object["metadata"]["generation"], "conditions": conditions});
    };
    memory.edit("kube-controller-manager", &deployment(name), missed).unwrap();
}

fn hash(memory: &Memory, name: &str) -> Option<String> {
    let object = memory.find(&deployment(name))?;
    object["spec"]["template"]["metadata"]["annotations"]["hash"].as_str().map(str::to_owned)
}

/// The Deployments that were restarted for a hash and are not rolled out.
fn rolling(memory: &Memory, number: usize, hash: &str) -> Vec<String> {
    let names = (0..number).map(|at| format!("d{at}"));
    let is_rolling = |name: &String| {
        let object = memory.find(&deployment(name)).unwrap();
        self::hash(memory, name).as_deref() == Some(hash)
            && object["status"]["observedGeneration"] != object["metadata"]["generation"]
    };
    names.filter(is_rolling).collect()
}

fn restarted(memory: &Memory, number: usize, hash: &str) -> usize {
    (0..number).filter(|at| self::hash(memory, &format!("d{at}")).as_deref() == Some(hash)).count()
}

fn pace(at_once: usize) -> Pace {
    Pace {
        at_once: NonZeroUsize::new(at_once),
        per_minute: None,
        windows: Vec::new(),
        progress_deadline: Duration::from_mins(10),
    }
}

fn paced(name: &'static str, pace: Pace) -> PluginBuilder {
    plugin(name).with(|description, reconciler| {
        for (kind, access) in [(deployment("").kind, Access::Patch), (pod("").kind, Access::Delete)] {
            description.needs.push(Need { kind, access, why: String::new() });
        }
        let grant = Grant::everywhere;
        reconciler.grants.patch.push(grant(deployment("").kind));
        reconciler.grants.delete.push(grant(pod("").kind));
        reconciler.pace = BTreeMap::from([("workloads".to_owned(), pace)]);
    })
}

fn restart(name: &str, hash: &Value, pace: &str) -> Patch {
    Patch {
        object: deployment(name),
        fragment: json!({"spec": {"template": {"metadata": {"annotations": {"hash": hash}}}}}),
        pace: Some(pace.into()),
        reason: "its proxy is old".into(),
    }
}

/// A plugin that restarts `number` Deployments for its shop's hash.
fn restarts(pace: Pace, number: usize) -> NodeSpec {
    paced("p", pace).returns(move |shop| Ok(wanting(0..number, &shop["spec"]["hash"]))).0
}

fn wanting(which: std::ops::Range<usize>, hash: &Value) -> Outcome {
    let patches = which.map(|at| restart(&format!("d{at}"), hash, "workloads")).collect();
    Outcome { patches, ..Outcome::new(Readiness::Ready) }
}

async fn pace_snapshot(stage: &Stage) -> PaceSnapshot {
    stage.engine.snapshots().now().await.unwrap().nodes[0].paces[0].clone()
}

#[tokio::test(start_paused = true)]
async fn no_more_disruptions_than_at_once_are_in_progress_and_each_object_is_restarted_once() {
    const MANY: usize = 300;
    let memory = deployments(MANY);
    memory.take_writes();
    let builder = paced("p", pace(10));
    let (node, calls) = builder.returns(|shop| Ok(wanting(0..MANY, &shop["spec"]["hash"])));
    let stage = Stage::at(NOW, &memory, vec![node]).await;
    let (status, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((&*status, &*reason), ("False", "Pacing"));
    assert_eq!(message, "290 of 300 disruptions wait for pace `workloads` (at once 10)");
    let (mut in_progress, mut restarts, mut most) = (std::collections::BTreeSet::new(), 0, 0);
    loop {
        for write in stage.writes().into_iter().filter(|write| write.object.kind == deployment("").kind) {
            restarts += usize::from(write.verb == "apply");
            in_progress.extend((write.verb == "apply").then(|| write.object.name.to_string()));
        }
        most = most.max(in_progress.len());
        let Some(name) = in_progress.pop_last() else { break };
        roll_out(&memory, &name);
        stage.engine.settled().await;
    }
    assert_eq!((most, restarts, restarted(&memory, MANY, "1"), count(&calls)), (10, MANY, MANY, 1));
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    let patched =
        memory.events().into_iter().filter(|event| event.reason == "Patched" && event.note == "its proxy is old");
    assert_eq!(patched.map(|event| event.regarding).collect::<std::collections::BTreeSet<_>>().len(), MANY);
    assert_eq!(memory.events().len(), MANY);
}

#[tokio::test(start_paused = true)]
async fn subjects_of_one_reconciler_share_its_pace() {
    let memory = deployments(20);
    put(&memory, &a_shop("y", json!({"hash": "1"})));
    let (node, _) = paced("p", pace(3)).returns(|shop| {
        let own = if shop["metadata"]["name"] == "x" { 0..10 } else { 10..20 };
        Ok(wanting(own, &shop["spec"]["hash"]))
    });
    let stage = Stage::at(NOW, &memory, vec![node]).await;
    let mut most = 0;
    while let Some(name) = {
        let rolling = rolling(&memory, 20, "1");
        most = most.max(rolling.len());
        rolling.first().cloned()
    } {
        roll_out(&memory, &name);
        stage.engine.settled().await;
    }
    assert_eq!((most, restarted(&memory, 20, "1")), (3, 20));
}

#[tokio::test(start_paused = true)]
async fn no_more_disruptions_than_per_minute_start_within_a_minute() {
    let memory = deployments(10);
    let pace = Pace { per_minute: NonZeroUsize::new(4), at_once: None, ..pace(1) };
    let stage = Stage::at(NOW, &memory, vec![restarts(pace, 10)]).await;
    assert_eq!(restarted(&memory, 10, "1"), 4);
    stage.after(SECOND * 59).await;
    assert_eq!(restarted(&memory, 10, "1"), 4);
    stage.after(SECOND * 2).await;
    assert_eq!(restarted(&memory, 10, "1"), 8);
    stage.after(SECOND * 60).await;
    assert_eq!(restarted(&memory, 10, "1"), 10);
}

#[tokio::test(start_paused = true)]
async fn no_disruption_starts_outside_of_the_windows() {
    let memory = deployments(3);
    let document = "{apiVersion: mizzen.dev/v1alpha1, kind: Reconciler, metadata: {name: p}, \
                    spec: {component: {file: x}, subject: {apiVersion: v1, kind: Service}, \
                    pace: {workloads: {windows: [{from: '13:00', to: '13:01'}]}}}}";
    let documents = mizzen_model::yaml::parse("p.yaml".as_ref(), document).unwrap();
    let read = mizzen_config::Configuration::strict(&documents).unwrap().reconcilers.remove(0);
    let pace = Pace { at_once: NonZeroUsize::new(1), ..read.pace["workloads"].clone() };
    let stage = Stage::at(NOW, &memory, vec![restarts(pace, 3)]).await;
    stage.after(SECOND * 3599).await;
    assert_eq!(restarted(&memory, 3, "1"), 0);
    stage.after(SECOND * 2).await;
    assert_eq!(restarted(&memory, 3, "1"), 1);
    // A rollout that completes after the window has closed lets no other one start.
    tokio::time::sleep(SECOND * 60).await;
    roll_out(&memory, "d0");
    stage.engine.settled().await;
    assert_eq!(restarted(&memory, 3, "1"), 1);
    assert!(stage.condition("mizzen.dev/p").2.contains("2 of 3 disruptions wait"));
    stage.after(SECOND * 24 * 3600).await;
    assert_eq!(restarted(&memory, 3, "1"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_disruption_that_times_out_is_reported_and_the_others_continue() {
    let memory = deployments(3);
    let stage = Stage::at(NOW, &memory, vec![restarts(pace(1), 3)]).await;
    stage.after(SECOND * 599).await;
    assert_eq!(restarted(&memory, 3, "1"), 1);
    stage.after(SECOND * 2).await;
    assert_eq!(restarted(&memory, 3, "1"), 2);
    let message = stage.condition("mizzen.dev/p").2;
    assert!(
        message.contains("timed out or failed") && message.contains("a/d0") && message.contains("600 s"),
        "{message}"
    );
    assert_eq!(
        pace_snapshot(&stage).await,
        PaceSnapshot { name: "workloads".into(), deferred: 1, in_progress: 1, timed_out: 1 }
    );
    roll_out(&memory, "d0");
    roll_out(&memory, "d1");
    stage.engine.settled().await;
    roll_out(&memory, "d2");
    stage.engine.settled().await;
    assert_eq!(stage.condition("mizzen.dev/p"), ("True".into(), "Ready".into(), "up to date".into()));
}

#[tokio::test(start_paused = true)]
async fn a_disruption_whose_object_reports_failure_frees_its_place_at_once() {
    let memory = deployments(2);
    let stage = Stage::at(NOW, &memory, vec![restarts(pace(1), 2)]).await;
    miss_the_deadline(&memory, "d0");
    stage.engine.settled().await;
    assert_eq!(restarted(&memory, 2, "1"), 2);
    let message = stage.condition("mizzen.dev/p").2;
    assert!(message.contains("a/d0 (timed out)"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_restarted_host_counts_the_disruptions_in_progress() {
    let memory = deployments(10);
    let stage = Stage::at(NOW, &memory, vec![restarts(pace(3), 10)]).await;
    stage.after(SECOND * 300).await;
    stage.engine.stop().await;
    memory.take_writes();
    let stage = Stage::at("2026-01-05T12:05:00Z", &memory, vec![restarts(pace(3), 10)]).await;
    assert_eq!((restarted(&memory, 10, "1"), stage.writes()), (3, Vec::new()));
    roll_out(&memory, "d1");
    stage.engine.settled().await;
    assert_eq!(rolling(&memory, 10, "1").len(), 3);
    // Their progress deadline counts from when they started.
    stage.after(SECOND * 301).await;
    assert_eq!((pace_snapshot(&stage).await.timed_out, restarted(&memory, 10, "1")), (2, 6));
}

#[tokio::test(start_paused = true)]
async fn a_restarted_host_counts_the_disruptions_of_the_last_minute() {
    let memory = deployments(4);
    let pace = || Pace { per_minute: NonZeroUsize::new(2), at_once: None, ..pace(1) };
    Stage::at(NOW, &memory, vec![restarts(pace(), 4)]).await.engine.stop().await;
    let stage = Stage::at("2026-01-05T12:00:30Z", &memory, vec![restarts(pace(), 4)]).await;
    assert_eq!(restarted(&memory, 4, "1"), 2);
    stage.after(SECOND * 31).await;
    assert_eq!(restarted(&memory, 4, "1"), 4);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pace_is_reported_and_disruptions_under_a_known_one_start() {
    let memory = deployments(2);
    let (node, _) = paced("p", pace(1)).returns(|shop| {
        let patches =
            vec![restart("d0", &shop["spec"]["hash"], "wrklds"), restart("d1", &shop["spec"]["hash"], "workloads")];
        Ok(Outcome { patches, ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::at(NOW, &memory, vec![node]).await;
    let (status, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((&*status, &*reason), ("False", "UnknownPace"));
    assert!(message.contains("`wrklds`") && message.contains("spec.pace"), "{message}");
    assert_eq!((hash(&memory, "d0"), hash(&memory, "d1")), (None, Some("1".into())));
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_occupies_no_place() {
    let memory = deployments(2);
    let refused = mizzen_cluster::WriteError::Forbidden { object: "d".into(), message: "no rights".into() };
    memory.fail_writes(&deployment("").kind, Some(refused));
    let stage = Stage::at(NOW, &memory, vec![restarts(pace(1), 2)]).await;
    assert_eq!((stage.condition("mizzen.dev/p").1, pace_snapshot(&stage).await.in_progress), ("Forbidden".into(), 0));
    memory.fail_writes(&deployment("").kind, None);
    stage.after(SECOND).await;
    assert_eq!(rolling(&memory, 2, "1").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_in_progress_until_the_owner_has_replaced_the_pod() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let set = |available: u8| {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "namespace": "a"},
               "spec": {"replicas": 2}, "status": {"readyReplicas": 2, "availableReplicas": available}})
    };
    put(&memory, &set(2));
    for name in ["p0", "p1"] {
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true});
        put(
            &memory,
            &json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "a", "ownerReferences": [owner]}}),
        );
    }
    let uids: Vec<_> = ["p0", "p1"].map(|name| memory.find(&pod(name)).unwrap()["metadata"]["uid"].clone()).to_vec();
    let (node, _) = paced("p", pace(1)).returns(move |_| {
        let deletion = |at: usize| Deletion {
            object: pod(&format!("p{at}")),
            uid: uids[at].as_str().unwrap().to_owned(),
            pace: Some("workloads".into()),
            reason: "its proxy is old".into(),
        };
        Ok(Outcome { deletions: vec![deletion(0), deletion(1)], ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::at(NOW, &memory, vec![node]).await;
    let there = |name: &str| memory.find(&pod(name)).is_some();
    assert_eq!((there("p0"), there("p1")), (false, true));
    stage.put(&set(1)).await;
    assert!(there("p1"));
    stage.put(&set(2)).await;
    assert!(!there("p1"));
}

#[tokio::test(start_paused = true)]
async fn a_changed_pace_takes_effect_at_once_and_calls_no_plugin() {
    let memory = deployments(10);
    let builder = |at_once: usize| paced("p", pace(at_once)).returns(|shop| Ok(wanting(0..10, &shop["spec"]["hash"])));
    let ((few, few_calls), (more, more_calls)) = (builder(2), builder(5));
    let stage = Stage::at(NOW, &memory, vec![few]).await;
    assert_eq!(restarted(&memory, 10, "1"), 2);
    stage.engine.configure(vec![more]);
    stage.engine.settled().await;
    assert_eq!((restarted(&memory, 10, "1"), count(&few_calls), count(&more_calls)), (5, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn reconciles_without_a_call_do_not_change_when_a_plugin_is_requeued() {
    let memory = deployments(20);
    let (node, calls) = paced("p", pace(1))
        .returns(|shop| Ok(Outcome { requeue_after: Some(SECOND * 100), ..wanting(0..20, &shop["spec"]["hash"]) }));
    let stage = Stage::at(NOW, &memory, vec![node]).await;
    for at in 0..9 {
        stage.after(SECOND * 10).await;
        roll_out(&memory, &format!("d{at}"));
        stage.engine.settled().await;
    }
    assert_eq!((count(&calls), restarted(&memory, 20, "1")), (1, 10));
    stage.after(SECOND * 11).await;
    assert_eq!(count(&calls), 2);
}

#[tokio::test(start_paused = true)]
async fn two_subjects_that_patch_one_object_under_a_pace_do_not_conflict_over_its_mark() {
    let memory = deployments(1);
    let (both, _) = paced("p", pace(1)).returns(|shop| {
        let name = shop["metadata"]["name"].as_str().unwrap();
        let patch = Patch {
            fragment: json!({"spec": {"template": {"metadata": {"annotations": {name: shop["spec"]["hash"]}}}}}),
            ..restart("d0", &Value::Null, "workloads")
        };
        Ok(Outcome { patches: vec![patch], ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::at(NOW, &memory, vec![both]).await;
    roll_out(&memory, "d0");
    stage.after(SECOND).await;
    stage.put(&a_shop("y", json!({"hash": "1"}))).await;
    assert_eq!(stage.condition_of("y", "mizzen.dev/p").1, "Ready");
    let annotations = memory.find(&deployment("d0")).unwrap()["spec"]["template"]["metadata"]["annotations"].clone();
    assert_eq!((&annotations["x"], &annotations["y"]), (&json!("1"), &json!("1")), "{annotations}");
}
