use std::time::Duration;

use mizzen_cluster::View;
use mizzen_cluster::memory::Memory;
use mizzen_model::{Fields, Kind};

use super::*;
use crate::plugin::SubjectId;

const KEY: Key = Key { node: NodeId(0), subject: SubjectId(0) };

fn object() -> ObjectRef {
    ObjectRef::new(Kind::new("apps/v1", "Deployment"), Some("a"), "x")
}

fn now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap()
}

fn paces_with(delays: Delays) -> Paces {
    let pace = Pace {
        at_once: std::num::NonZero::new(1),
        per_minute: None,
        windows: Vec::new(),
        progress_deadline: Duration::from_mins(10),
    };
    let mut paces = Paces::new(delays);
    paces.configure(NodeId(0), &BTreeMap::from([("restarts".to_owned(), pace)]));
    paces
}

/// A cluster with a Deployment whose rollout has failed.
async fn failed() -> Memory {
    let yaml = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: x, namespace: a, generation: 1}
spec: {replicas: 1}
status:
  observedGeneration: 1
  conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: timed out}]
";
    let memory = Memory::from_yaml(yaml).unwrap();
    memory.watch(View { kind: object().kind, scope: Scope::All, fields: Fields::Whole }).await.unwrap();
    memory
}

#[test]
fn a_pace_admits_defers_or_is_unknown_and_without_delays_admits_all() {
    let (object, other) = (object(), ObjectRef { name: "y".into(), ..object() });
    let slot = |object| Slot { key: KEY, pace: "restarts", object };
    let mut paces = paces_with(Delays::Enforced);
    assert_eq!(paces.admit(slot(&object), now()), Admission::Admitted);
    assert_eq!(paces.admit(slot(&object), now()), Admission::Admitted, "it is disrupted already");
    assert_eq!(paces.admit(slot(&other), now()), Admission::Deferred);
    assert_eq!(paces.admit(Slot { pace: "x", ..slot(&other) }, now()), Admission::UnknownPace);
    let mut paces = paces_with(Delays::Skipped);
    assert_eq!([&object, &other].map(|own| paces.admit(slot(own), now())), [Admission::Admitted; 2]);
}

#[tokio::test]
async fn a_disruption_that_fails_before_its_write_is_recorded_is_reported() {
    let (mut paces, cluster, object) = (paces_with(Delays::Enforced), failed().await, object());
    let slot = Slot { key: KEY, pace: "restarts", object: &object };
    assert_eq!(paces.admit(slot, now()), Admission::Admitted);
    paces.written(slot, Stage::Patched { version: 0 }, &cluster);
    assert_eq!(paces.due(now()), Some(now()));
    let events = paces.tick(now(), &cluster);
    assert_eq!(events.timed_out.iter().map(|own| &*own.reason).collect::<Vec<_>>(), ["timed out"]);
    assert_eq!((events.requeue, paces.due(now())), ([KEY].into(), None));
}
