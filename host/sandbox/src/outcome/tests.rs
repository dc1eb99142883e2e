//! Valid and invalid outcomes.

use super::*;

fn nothing() -> wit::Outcome {
    wit::Outcome {
        readiness: wit::Readiness::Ready,
        desired: None,
        patches: Vec::new(),
        deletions: Vec::new(),
        status: None,
        conditions: Vec::new(),
        events: Vec::new(),
        requeue_after: None,
    }
}

fn condition(kind: &str, reason: &str) -> wit::Condition {
    wit::Condition { type_: kind.into(), status: Some(true), reason: reason.into(), message: String::new() }
}

fn pod() -> ObjectRef {
    let kind = crate::bindings::mizzen::plugin::types::Kind { api_version: "v1".into(), name: "Pod".into() };
    ObjectRef { kind, namespace: Some("a".into()), name: "a".into() }
}

fn refused(outcome: wit::Outcome) -> String {
    super::outcome(outcome).unwrap_err().to_string()
}

#[test]
fn unknown_desired_objects_are_not_an_empty_set() {
    assert_eq!(outcome(nothing()).unwrap().desired, None);
    let empty = wit::Outcome { desired: Some(wit::Wanted::All(Vec::new())), ..nothing() };
    assert_eq!(outcome(empty).unwrap().desired, Some(model::Wanted::All(Vec::new())));
}

#[test]
fn desired_objects_so_far_are_not_taken_for_all_of_them() {
    let part = wit::Outcome { desired: Some(wit::Wanted::SoFar(Vec::new())), ..nothing() };
    assert_eq!(outcome(part).unwrap().desired, Some(model::Wanted::SoFar(Vec::new())));
}

#[test]
fn an_object_without_identity_is_refused_with_its_index() {
    let good = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
    let wanting = [
        ("[]", "apiVersion"),
        ("1", "apiVersion"),
        (r#"{"kind":"ConfigMap","metadata":{"name":"a"}}"#, "apiVersion"),
        (r#"{"apiVersion":"v1","kind":7,"metadata":{"name":"a"}}"#, "kind"),
        (r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":""}}"#, "metadata.name"),
    ];
    for (bad, missing) in wanting {
        for of in [wit::Wanted::All, wit::Wanted::SoFar] {
            let why = refused(wit::Outcome { desired: Some(of(vec![good.into(), bad.into()])), ..nothing() });
            assert!(why.starts_with("desired[1]: ") && why.contains(&format!("`{missing}`")), "{bad}: {why}");
        }
    }
}

#[test]
fn nesting_is_bounded_before_it_can_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let why = refused(wit::Outcome { status: Some(deep), ..nothing() });
    assert!(why.starts_with("status: not JSON: recursion limit"), "{why}");
}

#[test]
fn a_status_and_a_fragment_are_objects() {
    assert_eq!(refused(wit::Outcome { status: Some("7".into()), ..nothing() }), "status: not a JSON object");
    let patch = wit::Patch { object: pod(), fragment: "[]".into(), pace: None, reason: String::new() };
    let why = refused(wit::Outcome { patches: vec![patch], ..nothing() });
    assert_eq!(why, "patches[0].fragment: not a JSON object");
}

#[test]
fn conditions_are_validated_as_the_api_server_does() {
    let of = |conditions| wit::Outcome { conditions, ..nothing() };
    assert!(outcome(of(vec![condition("Ready", "AllGood"), condition("mizzen.dev/Synced", "A_1")])).is_ok());
    for (kind, reason, field) in [("", "A", "type"), ("Ready", "", "reason"), ("Ready", "not so", "reason")] {
        let why = refused(of(vec![condition(kind, reason)]));
        assert!(why.starts_with(&format!("conditions[0].{field}: ")), "{why}");
    }
    let why = refused(of(vec![condition("Ready", "A"), condition("Ready", "B")]));
    assert_eq!(why, "conditions: `Ready` is given twice");
}

#[test]
fn an_outcome_with_too_many_events_is_refused() {
    let event = || wit::Event {
        regarding: None,
        severity: wit::Severity::Normal,
        reason: "A".into(),
        message: "\u{1b}[2J".repeat(EVENTS),
    };
    let of = |many| wit::Outcome { events: (0..many).map(|_| event()).collect(), ..nothing() };
    let events = outcome(of(EVENTS)).unwrap().events;
    assert!(events.len() == EVENTS && !events[0].message.contains('\u{1b}'));
    assert!(refused(of(EVENTS + 1)).starts_with("events: has 33 entries"));
}

#[test]
fn a_requeue_is_neither_immediate_nor_more_than_a_day_away() {
    let after = |millis| outcome(wit::Outcome { requeue_after: Some(millis), ..nothing() }).unwrap().requeue_after;
    assert_eq!(after(0), Some(REQUEUE_MIN));
    assert_eq!(after(90_000), Some(Duration::from_secs(90)));
    assert_eq!(after(u64::MAX), Some(REQUEUE_MAX));
}

#[test]
fn a_pace_that_could_hide_its_own_report_is_refused() {
    let deletion =
        |pace: &str| wit::Deletion { object: pod(), uid: "1".into(), pace: Some(pace.into()), reason: String::new() };
    for pace in ["", "a b", &"a".repeat(1 << 20)] {
        let why = refused(wit::Outcome { deletions: vec![deletion(pace)], ..nothing() });
        assert!(why.starts_with("deletions[0]: `pace` is `") && why.len() < 300, "{why}");
    }
    assert!(outcome(wit::Outcome { deletions: vec![deletion("pods")], ..nothing() }).is_ok());
}

#[test]
fn a_uid_is_short_and_printable() {
    for uid in ["", "a b", "\u{1b}[2J", &"a".repeat(129)] {
        let deletion = wit::Deletion { object: pod(), uid: uid.into(), pace: None, reason: String::new() };
        let why = refused(wit::Outcome { deletions: vec![deletion], ..nothing() });
        assert!(why.starts_with("deletions[0]: `uid` is `"), "{why}");
    }
}
