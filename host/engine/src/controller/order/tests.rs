use std::time::Duration;

use mizzen_model::{Kind, Readiness};
use tokio::time::Instant;

use super::*;
use crate::plugin::SubjectId;

const FIRST: NodeId = NodeId(0);
const SECOND: NodeId = NodeId(1);

fn position(id: NodeId, kind: &str, after: &[&str]) -> Position {
    Position {
        id,
        name: format!("r{}", id.0),
        kind: Some(Kind::new("example.com/v1", kind)),
        predecessors: Predecessors { after: after.iter().map(ToString::to_string).collect(), after_any: Vec::new() },
        participation: Participation::Started,
    }
}

fn key(node: NodeId, subject: u32) -> Key {
    Key { node, subject: SubjectId(subject) }
}

/// `r1` comes after `r0`; both have the subject 0.
fn order(second_kind: &str) -> Order {
    let mut order = Order::default();
    order.configure(vec![position(FIRST, "Shop", &[]), position(SECOND, second_kind, &["r0"])]);
    order.track(key(FIRST, 0));
    order.track(key(SECOND, 0));
    order
}

fn no_key(_: Key) -> bool {
    false
}

fn progressing() -> Readiness {
    Readiness::Progressing("no image".into())
}

#[test]
fn a_key_runs_when_its_predecessor_is_ready_for_the_same_subject() {
    let (mut order, now) = (order("Shop"), Instant::now());
    assert!(matches!(order.clear(key(SECOND, 0), no_key, now), Clearance::Wait(Some(_))));
    order.record(key(FIRST, 0), Some(progressing()));
    assert!(matches!(order.clear(key(SECOND, 0), no_key, now), Clearance::Wait(Some(_))));
    assert_eq!(order.waits_for(key(SECOND, 0), no_key).unwrap(), "waits for `r0` to be ready: no image");
    order.record(key(FIRST, 0), Some(Readiness::Ready));
    let predecessors = vec![Predecessor { name: "r0".into(), readiness: Readiness::Ready }];
    assert_eq!(order.clear(key(SECOND, 0), no_key, now), Clearance::Run(predecessors));
    assert_eq!(order.waits_for(key(SECOND, 0), no_key), None);
}

#[test]
fn a_successor_in_after_any_runs_when_its_predecessor_has_any_outcome() {
    let mut order = order("Shop");
    let mut second = position(SECOND, "Shop", &[]);
    second.predecessors.after_any.push("r0".into());
    order.configure(vec![position(FIRST, "Shop", &[]), second]);
    order.record(key(FIRST, 0), Some(progressing()));
    assert!(matches!(order.clear(key(SECOND, 0), no_key, Instant::now()), Clearance::Run(_)));
}

#[test]
fn a_closed_gate_is_reported_after_five_seconds_and_an_awaited_first_outcome_after_thirty() {
    let (mut order, now) = (order("Shop"), Instant::now());
    let at = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(order.clear(key(SECOND, 0), no_key, now), Clearance::Wait(Some(at(30))));
    order.record(key(FIRST, 0), Some(progressing()));
    assert_eq!(order.clear(key(SECOND, 0), no_key, at(10)), Clearance::Wait(Some(at(15))));
    assert!(order.is_unreported(key(SECOND, 0)));
    assert!(matches!(order.clear(key(SECOND, 0), no_key, at(15)), Clearance::Report(_)));
    assert!(!order.is_unreported(key(SECOND, 0)));
}

#[test]
fn a_key_waits_while_its_predecessor_is_pending_and_that_is_never_reported() {
    let (mut order, now) = (order("Shop"), Instant::now());
    order.record(key(FIRST, 0), Some(Readiness::Ready));
    let pending = |own: Key| own == key(FIRST, 0);
    let later = now + Duration::from_secs(30);
    assert_eq!(order.clear(key(SECOND, 0), pending, now), Clearance::Wait(Some(later)));
    assert_eq!(order.gated_by(key(FIRST, 0)), [key(SECOND, 0)]);
    assert_eq!(order.clear(key(SECOND, 0), pending, later), Clearance::Wait(None));
}

#[test]
fn a_predecessor_of_another_kind_must_be_ready_for_all_of_its_subjects() {
    let (mut order, now) = (order("Mall"), Instant::now());
    order.track(key(FIRST, 1));
    order.record(key(FIRST, 0), Some(Readiness::Ready));
    assert_eq!(order.successors_of(key(FIRST, 0)), [], "nothing has changed for the successor");
    order.record(key(FIRST, 1), Some(progressing()));
    assert_eq!(order.successors_of(key(FIRST, 1)), [key(SECOND, 0)]);
    assert!(matches!(order.clear(key(SECOND, 0), no_key, now), Clearance::Wait(_)));
    order.record(key(FIRST, 1), Some(Readiness::Ready));
    assert_eq!(order.successors_of(key(FIRST, 1)), [key(SECOND, 0)]);
    assert!(matches!(order.clear(key(SECOND, 0), no_key, now), Clearance::Run(_)));
}

#[test]
fn a_subject_that_leaves_counts_no_more() {
    let mut order = order("Mall");
    order.track(key(FIRST, 1));
    order.record(key(FIRST, 0), Some(Readiness::Ready));
    order.record(key(FIRST, 1), Some(progressing()));
    order.untrack(key(FIRST, 1));
    assert!(matches!(order.clear(key(SECOND, 0), no_key, Instant::now()), Clearance::Run(_)));
    assert_eq!((order.counts(FIRST).all, order.counts(FIRST).ready), (1, 1));
}

#[test]
fn a_paused_predecessor_gates_no_key_and_one_that_is_not_configured_gates_every_key() {
    let (mut order, now) = (order("Shop"), Instant::now());
    order.set_participation(FIRST, Participation::Paused);
    assert_eq!(order.clear(key(SECOND, 0), no_key, now), Clearance::Run(Vec::new()));
    order.configure(vec![position(SECOND, "Shop", &["r0"])]);
    assert!(matches!(order.clear(key(SECOND, 0), no_key, now), Clearance::Wait(Some(_))));
    assert_eq!(order.waits_for(key(SECOND, 0), no_key).unwrap(), "predecessor `r0` is not configured");
}

#[test]
fn a_new_configuration_keeps_what_is_known_of_subjects() {
    let mut order = order("Shop");
    order.record(key(FIRST, 0), Some(Readiness::Ready));
    order.configure(vec![position(FIRST, "Shop", &[]), position(SECOND, "Shop", &["r0"])]);
    assert!(matches!(order.clear(key(SECOND, 0), no_key, Instant::now()), Clearance::Run(_)));
    assert_eq!(order.successor_ids(FIRST), [SECOND]);
}
