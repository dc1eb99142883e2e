//! What users are told by Events, and how often.

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

/// The messages told so far.
fn told(stage: &Stage) -> Vec<String> {
    stage.memory.events().into_iter().filter(|event| event.reason == "Noticed").map(|event| event.note).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_told_once_while_it_stands_and_again_when_it_comes_back() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"says": ["a"], "at": 0})));
    let (node, calls) = plugin("p").answers(|shop| {
        let says = shop["spec"]["says"].as_array().unwrap();
        let events = says.iter().map(|says| event(None, says.as_str().unwrap())).collect();
        Ok(Outcome { events, ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"says": ["a"], "at": 1}))).await;
    stage.put(&a_shop("x", json!({"says": ["a", "b"], "at": 2}))).await;
    assert_eq!((count(&calls), told(&stage)), (3, vec!["a".to_owned(), "b".into()]));
    stage.put(&a_shop("x", json!({"says": ["b"], "at": 3}))).await;
    stage.put(&a_shop("x", json!({"says": ["b", "a"], "at": 4}))).await;
    assert_eq!(told(&stage), ["a", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_plugin_tells_before_it_sees_its_own_writes_is_not_lost() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let reading = plugin("p").with(|description, reconciler| {
        description.needs.push(Need { kind: config_map(), access: Access::Read, why: String::new() });
        reconciler.grants.read.push(reconciler.grants.apply[0].clone());
    });
    let (node, calls) = reading.asks(|_, reads| async move {
        let there = matches!(reads.get(&map_ref("a", "m"), None).await, Ok(Some(_)));
        let events = if there { Vec::new() } else { vec![event(None, "made it")] };
        let desired = Some(Wanted::All(vec![a_map("a", "m", json!({}))]));
        Ok(Ok(Outcome { desired, events, ..Outcome::new(Readiness::Ready) }))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), told(&stage)), (2, vec!["made it".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn an_event_about_another_object_carries_its_uid() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_service("s", "x", "ClusterIP"));
    let other = ObjectRef::new(service(), Some("a"), "s");
    let uid = memory.find(&other).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let (node, _) = plugin("p").answers(move |_| {
        Ok(Outcome { events: vec![event(Some(other.clone()), "look")], ..Outcome::new(Readiness::Ready) })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    let events = stage.memory.events();
    assert_eq!((&*events[0].regarding.name, &events[0].regarding_uid), ("s", &uid));
}

/// Hears how reconciles end.
#[derive(Default)]
struct Ends(Mutex<Vec<(String, String, bool)>>);

impl Observer for Ends {
    fn reconciled(&self, end: &Reconciled<'_>) {
        self.0.lock().unwrap().push((end.reason.to_owned(), end.message.to_owned(), end.failed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_can_not_be_written_is_reported_as_the_failure_that_it_is() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let refusal = WriteError::Invalid { object: "Shop a/x".into(), message: "status.url: must be a string".into() };
    memory.fail_writes(&shop(), Some(refusal.clone()));
    let ends = Arc::new(Ends::default());
    let engine = Engine::start(Arc::new(memory), ends.clone(), Concurrency::default());
    engine.configure(vec![plugin("p").answers(|_| Ok(Outcome::new(Readiness::Ready))).0]);
    engine.settled().await;
    assert_eq!(ends.0.lock().unwrap()[0], ("Rejected".to_owned(), refusal.to_string(), true));
}
