use std::time::Duration;

use mizzen_model::Kind;

use super::*;
use crate::plugin::{NodeId, SubjectId};

fn key(subject: u32) -> Key {
    Key { node: NodeId(0), subject: SubjectId(subject) }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::new("apps/v1", "Deployment"), Some("a"), name)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + seconds).unwrap()
}

fn pace(at_once: Option<usize>, per_minute: Option<usize>) -> Pace {
    let [at_once, per_minute] = [at_once, per_minute].map(|most| most.and_then(std::num::NonZero::new));
    Pace { at_once, per_minute, windows: Vec::new(), progress_deadline: Duration::from_mins(10) }
}

fn start(tracker: &mut Tracker, name: &str, seconds: i64) {
    let stage = Stage::Patched { version: 1 };
    tracker.start(object(name), Disruption { started: at(seconds), key: Some(key(0)), stage });
}

#[test]
fn at_once_counts_the_disruptions_in_progress() {
    let mut tracker = Tracker::new(pace(Some(2), None));
    start(&mut tracker, "x", 0);
    assert!(tracker.is_free(at(0)));
    start(&mut tracker, "y", 0);
    assert!(!tracker.is_free(at(3600)));
    tracker.end(&object("x"));
    assert!(tracker.is_free(at(0)));
}

#[test]
fn per_minute_counts_starts_including_those_that_have_ended() {
    let mut tracker = Tracker::new(pace(None, Some(1)));
    start(&mut tracker, "x", 0);
    tracker.end(&object("x"));
    assert!(!tracker.is_free(at(59)));
    assert!(tracker.is_free(at(60)));
}

#[test]
fn a_cancelled_start_gives_its_token_back() {
    let mut tracker = Tracker::new(pace(Some(1), Some(1)));
    start(&mut tracker, "x", 0);
    tracker.cancel(&object("x"));
    assert!(tracker.is_free(at(0)) && !tracker.contains(&object("x")));
}

#[test]
fn as_many_waiting_keys_are_requeued_as_there_are_places_in_the_order_in_which_they_came() {
    let mut tracker = Tracker::new(pace(Some(2), None));
    (0..3).for_each(|subject| tracker.defer(key(subject), 1));
    assert_eq!(tracker.requeue(at(0)), [key(0), key(1)]);
    assert_eq!(tracker.requeue(at(0)), [], "a place is kept for each until it has run");
    tracker.release(key(0));
    assert_eq!(tracker.requeue(at(0)), [key(2)]);
}

#[test]
fn a_key_without_deferred_disruptions_waits_no_longer() {
    let mut tracker = Tracker::new(pace(Some(1), None));
    tracker.defer(key(0), 3);
    tracker.defer(key(0), 0);
    assert_eq!((tracker.requeue(at(0)), tracker.due(at(0))), (Vec::new(), None));
}

#[test]
fn a_disruption_is_overdue_at_its_progress_deadline_and_then_blocks_no_place() {
    let mut tracker = Tracker::new(pace(Some(1), None));
    start(&mut tracker, "x", 0);
    assert_eq!((tracker.due(at(0)), tracker.overdue(at(599))), (Some(at(600)), Vec::new()));
    assert_eq!(tracker.overdue(at(600)), [object("x")]);
    tracker.fail(&object("x"), "slow".into());
    assert!(tracker.contains(&object("x")) && tracker.is_free(at(600)));
}

#[test]
fn a_change_concerns_the_object_itself_and_those_that_it_is_to_replace() {
    let mut tracker = Tracker::new(pace(None, None));
    let stage = Stage::Deleted { uid: "u".into(), owner: Some((object("owner"), 1)) };
    tracker.start(object("pod"), Disruption { started: at(0), key: None, stage });
    start(&mut tracker, "x", 0);
    assert_eq!(tracker.affected_by(&object("owner")), [object("pod")]);
    assert_eq!(tracker.affected_by(&object("x")), [object("x")]);
    assert_eq!(tracker.affected_by(&object("other")), []);
}
