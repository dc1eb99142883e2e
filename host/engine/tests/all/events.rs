//! Events: which are published, how often, and how a reconcile that fails is reported.

use crate::support::{Stage, a_map, a_service, a_shop, config_map, count, map_ref, memory, plugin, put, service, shop};
use std::sync::{Arc, Mutex};

use mizzen_cluster::WriteError;
use mizzen_engine::observe::{Observer, Reconciled};
use mizzen_engine::{Concurrency, Engine};
use mizzen_model::{Access, Event, Need, ObjectRef, Outcome, Readiness, Severity, Wanted};
use serde_json::json;

fn event(regarding: Option<ObjectRef>, message: &str) -> Event {
    Event { regarding, severity: Severity::Normal, reason: "Noticed".into(), message: message.into() }
}

/// The messages of the Events published so far.
fn messages(stage: &Stage) -> Vec<String> {
    stage.memory.events().into_iter().filter(|event| event.reason == "Noticed").map(|event| event.note).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_published_once_while_the_plugin_repeats_it_and_again_when_it_returns() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"messages": ["a"], "at": 0})));
    let (node, calls) = plugin("p").returns(|shop| {
        let messages = shop["spec"]["messages"].as_array().unwrap();
        let events = messages.iter().map(|message| event(None, message.as_str().unwrap())).collect();
        Ok(Outcome { events, ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"messages": ["a"], "at": 1}))).await;
    stage.put(&a_shop("x", json!({"messages": ["a", "b"], "at": 2}))).await;
    assert_eq!((count(&calls), messages(&stage)), (3, vec!["a".to_owned(), "b".into()]));
    stage.put(&a_shop("x", json!({"messages": ["b"], "at": 3}))).await;
    stage.put(&a_shop("x", json!({"messages": ["b", "a"], "at": 4}))).await;
    assert_eq!(messages(&stage), ["a", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_next_call_does_not_repeat_is_published() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let reading = plugin("p").with(|description, reconciler| {
        description.needs.push(Need { kind: config_map(), access: Access::Read, why: String::new() });
        reconciler.grants.read.push(reconciler.grants.apply[0].clone());
    });
    let (node, calls) = reading.reconciles(|_, reads| async move {
        let there = matches!(reads.get(&map_ref("a", "m"), None).await, Ok(Some(_)));
        let events = if there { Vec::new() } else { vec![event(None, "made it")] };
        let desired = Some(Wanted::All(vec![a_map("a", "m", json!({}))]));
        Ok(Ok(Outcome { desired, events, ..Outcome::new(Readiness::Ready) }))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), messages(&stage)), (2, vec!["made it".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn an_event_about_another_object_has_its_uid() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_service("s", "x", "ClusterIP"));
    let other = ObjectRef::new(service(), Some("a"), "s");
    let uid = memory.find(&other).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let (node, _) = plugin("p").returns(move |_| {
        Ok(Outcome { events: vec![event(Some(other.clone()), "look")], ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    let events = stage.memory.events();
    assert_eq!((&*events[0].regarding.name, &events[0].regarding_uid), ("s", &uid));
}

/// Records how reconciles end.
#[derive(Default)]
struct Ends(Mutex<Vec<(String, String, bool)>>);

impl Observer for Ends {
    fn reconciled(&self, end: &Reconciled<'_>) {
        self.0.lock().unwrap().push((end.reason.to_owned(), end.message.to_owned(), end.failed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_can_not_be_written_is_reported_as_a_failure() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let refusal = WriteError::Invalid { object: "Shop a/x".into(), message: "status.url: must be a string".into() };
    memory.fail_writes(&shop(), Some(refusal.clone()));
    let ends = Arc::new(Ends::default());
    let engine = Engine::start(Arc::new(memory), ends.clone(), Concurrency::default());
    engine.configure(vec![plugin("p").returns(|_| Ok(Outcome::new(Readiness::Ready))).0]);
    engine.settled().await;
    assert_eq!(ends.0.lock().unwrap()[0], ("Rejected".to_owned(), refusal.to_string(), true));
}
