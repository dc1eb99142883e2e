use super::*;
use crate::controller::trigger::ObjectVersion;
use crate::plugin::SubjectId;

const LIMITS: Concurrency = Concurrency { reconciles: 4, of_one: 4 };

fn key(node: u32, subject: u32) -> Key {
    Key { node: NodeId(node), subject: SubjectId(subject) }
}

fn limited(reconciles: usize, of_one: usize) -> Workqueue {
    Workqueue::new(Concurrency { reconciles, of_one }, Delays::Enforced)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Adds the first key, and processes it with a call of this cost.
fn call(queue: &mut Workqueue, cost: Duration, now: Instant) {
    queue.add(key(0, 0), Trigger::Requeue, now);
    queue.get(now).unwrap();
    let call = CallMade { cost, requeue_after: None };
    assert_eq!(queue.done(key(0, 0), Some(call), now), Some(Vec::new()));
    queue.forget(key(0, 0));
}

fn got(queue: &mut Workqueue, now: Instant) -> Vec<Key> {
    std::iter::from_fn(|| queue.get(now)).map(|work| work.key).collect()
}

#[test]
fn reconcilers_are_served_in_turn_however_many_keys_each_has() {
    let (mut queue, now) = (limited(10, 10), Instant::now());
    (0..5).for_each(|subject| queue.add(key(0, subject), Trigger::Requeue, now));
    queue.add(key(1, 0), Trigger::Requeue, now);
    queue.add(key(2, 0), Trigger::Requeue, now);
    let order: Vec<_> = got(&mut queue, now).into_iter().map(|key| key.node.0).collect();
    assert_eq!(order, [0, 1, 2, 0, 0, 0, 0]);
}

#[test]
fn one_reconciler_never_takes_all_places() {
    let (mut queue, now) = (limited(4, 2), Instant::now());
    (0..5).for_each(|subject| queue.add(key(0, subject), Trigger::Requeue, now));
    assert_eq!(got(&mut queue, now), [key(0, 0), key(0, 1)]);
    queue.add(key(1, 0), Trigger::Requeue, now);
    assert_eq!(got(&mut queue, now), [key(1, 0)]);
    queue.done(key(0, 0), None, now);
    assert_eq!(got(&mut queue, now), [key(0, 2)]);
}

#[test]
fn a_key_is_queued_once() {
    let (mut queue, now) = (limited(4, 4), Instant::now());
    queue.add(key(0, 0), Trigger::Requeue, now);
    queue.add(key(0, 0), Trigger::Requeue, now);
    assert_eq!(got(&mut queue, now), [key(0, 0)]);
    assert!(!queue.is_idle());
    queue.done(key(0, 0), None, now);
    assert!(queue.is_idle());
}

#[test]
fn what_is_added_while_a_key_is_active_is_returned_when_it_is_done() {
    let (mut queue, now) = (limited(4, 4), Instant::now());
    queue.add(key(0, 0), Trigger::Requeue, now);
    queue.get(now).unwrap();
    queue.add(key(0, 0), Trigger::Input, now);
    assert_eq!(got(&mut queue, now), [], "it is never active twice");
    assert_eq!(queue.done(key(0, 0), None, now), Some(vec![Trigger::Input]));
}

#[test]
fn work_tells_why_and_how_long_its_key_was_queued() {
    let (mut queue, now) = (limited(4, 4), Instant::now());
    let object = mizzen_model::ObjectRef::new(mizzen_model::Kind::new("v1", "Pod"), Some("a"), "p");
    let read = Trigger::Read(ObjectVersion::new(object, 1));
    queue.add(key(0, 0), read.clone(), now);
    queue.add(key(0, 0), Trigger::Requeue, now + seconds(1));
    let work = queue.get(now + seconds(2)).unwrap();
    assert_eq!((&work.trigger, work.waited, work.invalidated, work.is_retry()), (&read, seconds(2), true, false));
}

#[test]
fn a_failed_key_is_retried_with_growing_delays_until_it_is_forgotten() {
    let (mut queue, mut now) = (limited(4, 4), Instant::now());
    let mut delays = Vec::new();
    for _ in 0..3 {
        queue.add(key(0, 50), Trigger::Requeue, now);
        queue.get(now).unwrap();
        queue.done(key(0, 50), None, now);
        queue.retry(key(0, 50), seconds(60), now);
        let due = queue.next_deadline().unwrap();
        delays.push((due - now).as_millis());
        assert!(queue.is_idle() && queue.get(now).is_none(), "time must pass");
        now = due;
        let work = queue.get(now).unwrap();
        assert!(work.is_retry());
        queue.skip(&work, now);
    }
    assert_eq!(delays, [200, 400, 800]);
    queue.forget(key(0, 50));
    queue.retry(key(0, 50), seconds(60), now);
    assert_eq!(queue.next_deadline().unwrap() - now, Duration::from_millis(200));
}

#[test]
fn a_plugin_that_wants_to_be_called_later_is_called_then_and_reconciles_without_a_call_do_not_change_that() {
    let (mut queue, now) = (limited(4, 4), Instant::now());
    queue.add(key(0, 0), Trigger::Requeue, now);
    queue.get(now).unwrap();
    queue.done(key(0, 0), Some(CallMade { cost: Duration::ZERO, requeue_after: Some(seconds(60)) }), now);
    queue.forget(key(0, 0));
    queue.add(key(0, 0), Trigger::Requeue, now + seconds(10));
    assert!(!queue.get(now + seconds(10)).unwrap().invalidated);
    queue.done(key(0, 0), None, now + seconds(10));
    queue.forget(key(0, 0));
    assert_eq!(queue.next_deadline(), Some(now + seconds(60)));
    let work = queue.get(now + seconds(60)).unwrap();
    assert_eq!((work.invalidated, work.trigger), (true, Trigger::RequeueAfter));
}

#[test]
fn changes_during_a_cooldown_are_handled_by_one_call_when_it_is_over() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Enforced), Instant::now());
    call(&mut queue, seconds(1), now);
    queue.add(key(0, 0), Trigger::Input, now);
    queue.add(key(0, 0), Trigger::Input, now + seconds(1));
    assert_eq!((queue.get(now + seconds(4)).map(|work| work.key), queue.cooling_down()), (None, 1));
    assert_eq!(queue.next_deadline(), Some(now + seconds(5)));
    let work = queue.get(now + seconds(5)).unwrap();
    assert_eq!((work.invalidated, work.trigger, queue.cooling_down()), (true, Trigger::CooldownOver, 0));
}

#[test]
fn a_change_of_the_subject_does_not_wait_for_a_cooldown_and_a_call_for_it_serves_the_others() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Enforced), Instant::now());
    call(&mut queue, seconds(1), now);
    queue.add(key(0, 0), Trigger::Input, now);
    queue.add(key(0, 0), Trigger::Requeue, now);
    assert!(queue.get(now).unwrap().cooling);
    queue.done(key(0, 0), Some(CallMade { cost: seconds(1), requeue_after: None }), now);
    assert_eq!(queue.cooling_down(), 0);
}

#[test]
fn a_key_in_a_cooldown_is_work_that_is_left_only_if_something_has_changed() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Enforced), Instant::now());
    call(&mut queue, seconds(1), now);
    assert!(queue.is_idle());
    queue.add(key(0, 0), Trigger::Input, now);
    assert!(!queue.is_idle());
    queue.remove(key(0, 0));
    assert!(queue.is_idle());
}

#[test]
fn without_delays_a_cooldown_ends_when_nothing_else_is_left() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Skipped), Instant::now());
    call(&mut queue, seconds(1), now);
    queue.add(key(1, 0), Trigger::Requeue, now);
    queue.add(key(0, 0), Trigger::Input, now);
    assert_eq!(got(&mut queue, now), [key(1, 0)]);
    queue.done(key(1, 0), None, now);
    assert_eq!(got(&mut queue, now), [key(0, 0)]);
}

#[test]
fn a_key_that_can_not_run_now_keeps_its_delay_and_what_invalidated_it() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Enforced), Instant::now());
    queue.add(key(0, 0), Trigger::Input, now);
    queue.add_after(key(0, 0), now + seconds(3));
    let work = queue.get(now).unwrap();
    queue.skip(&work, now);
    assert_eq!((queue.next_deadline(), queue.is_invalidated(key(0, 0))), (Some(now + seconds(3)), true));
    assert!(queue.get(now + seconds(3)).unwrap().invalidated);
}

#[test]
fn a_key_that_was_removed_while_active_and_added_again_runs_only_when_it_is_done() {
    let (mut queue, now) = (Workqueue::new(LIMITS, Delays::Enforced), Instant::now());
    queue.add(key(0, 0), Trigger::Requeue, now);
    queue.get(now).unwrap();
    queue.remove(key(0, 0));
    queue.add(key(0, 0), Trigger::Requeue, now);
    assert_eq!(got(&mut queue, now), []);
    assert_eq!(queue.done(key(0, 0), None, now), None, "the result is void");
    assert_eq!(got(&mut queue, now), [key(0, 0)]);
}

#[test]
fn keys_of_one_reconciler_that_fail_together_are_retried_one_after_the_other() {
    let (mut queue, now) = (limited(5_000, 5_000), Instant::now());
    (0..1_000).for_each(|subject| queue.retry(key(0, subject), seconds(3), now));
    queue.retry(key(1, 0), seconds(3), now);
    let retried = got(&mut queue, now + seconds(10));
    assert!((400..=510).contains(&retried.len()), "{} retries in 10 s", retried.len());
    assert!(retried.contains(&key(1, 0)), "another reconciler's retries are its own");
}
