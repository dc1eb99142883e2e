//! Modes: `Plan` writes nothing and reports what it would write; `Paused` calls no plugin.

use std::sync::{Arc, Mutex};

use crate::support::{Stage, a_map, a_shop, count, desires, map_ref, memory, plugin, put, shop_ref};
use mizzen_config::Mode;
use mizzen_engine::observe::{Observer, Planned};
use mizzen_engine::{Concurrency, Engine, NodeSpec, PlanCounts, State};
use mizzen_model::{Event, Severity};
use serde_json::{Value, json};

/// Desires the maps that a shop names as `namespace/name`.
fn keeper(mode: Mode) -> (NodeSpec, Arc<std::sync::atomic::AtomicUsize>) {
    plugin("keeper").with(|_, reconciler| reconciler.mode = mode).returns(|shop| {
        let maps = shop["spec"]["maps"].as_array().cloned().unwrap_or_default();
        let map = |path: &Value| {
            let (namespace, name) = path.as_str().unwrap().split_once('/').unwrap();
            a_map(namespace, name, json!({"of": shop["spec"]["of"]}))
        };
        let mut outcome = desires(maps.iter().map(map).collect());
        let message = "called".into();
        outcome.events = vec![Event { regarding: None, severity: Severity::Normal, reason: "Called".into(), message }];
        Ok(outcome)
    })
}

fn shop(of: &str, maps: &[&str]) -> Value {
    a_shop("x", json!({"of": of, "maps": maps}))
}

#[derive(Default)]
struct Plans(Mutex<Vec<String>>);

impl Observer for Plans {
    fn planned(&self, planned: &Planned<'_>) {
        let intents = planned.intents.iter().map(|intent| format!("{} {}", intent.verb, intent.object));
        self.0.lock().unwrap().push(intents.collect::<Vec<_>>().join(", "));
    }
}

async fn counts(stage: &Stage) -> Option<PlanCounts> {
    stage.engine.snapshots().now().await.unwrap().nodes[0].planned
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_in_mode_plan_is_called_and_writes_nothing() {
    let memory = memory();
    put(&memory, &shop("x", &["a/m", "b/n"]));
    memory.take_writes();
    let (node, calls) = keeper(Mode::Plan);
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(count(&calls), 1);
    assert_eq!((stage.writes(), memory.events().len()), (Vec::new(), 0), "no object, finalizer, status or Event");
    assert_eq!(counts(&stage).await, Some(PlanCounts { create: 2, adopt: 0, change: 0, delete: 0 }));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_reported_by_name_and_again_only_when_it_changes() {
    let memory = memory();
    put(&memory, &shop("x", &["a/m"]));
    let plans = Arc::new(Plans::default());
    let engine = Engine::start(Arc::new(memory.clone()), Arc::clone(&plans) as _, Concurrency::default());
    engine.configure(vec![keeper(Mode::Plan).0]);
    engine.settled().await;
    put(&memory, &shop("y", &["a/m"]));
    engine.settled().await;
    assert_eq!(*plans.0.lock().unwrap(), ["create ConfigMap a/m"]);
    put(&memory, &shop("y", &[]));
    engine.settled().await;
    assert_eq!(*plans.0.lock().unwrap(), ["create ConfigMap a/m", ""]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_compared_with_the_live_objects() {
    let memory = memory();
    put(&memory, &shop("x", &["a/same", "a/edited", "a/gone", "a/unwanted"]));
    let stage = Stage::on(&memory, vec![keeper(Mode::Enforce).0]).await;
    assert_eq!(counts(&stage).await, None);
    stage.engine.configure(vec![keeper(Mode::Plan).0]);
    stage.engine.settled().await;
    assert_eq!(counts(&stage).await, Some(PlanCounts::default()));
    memory.take_writes();
    memory.edit("other-manager", &map_ref("a", "edited"), |map| map["data"]["of"] = json!("y")).unwrap();
    memory.remove(&map_ref("a", "gone"));
    stage.put(&shop("x", &["a/same", "a/edited", "a/gone"])).await;
    assert_eq!(counts(&stage).await, Some(PlanCounts { create: 1, adopt: 0, change: 1, delete: 1 }));
    assert_eq!(stage.writes(), []);
    assert_eq!(stage.data("edited").unwrap(), json!({"of": "y"}));
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_in_mode_plan_keeps_its_finalizer_until_the_mode_is_enforce() {
    let memory = memory();
    put(&memory, &shop("x", &["b/far"]));
    let stage = Stage::on(&memory, vec![keeper(Mode::Enforce).0]).await;
    stage.engine.configure(vec![keeper(Mode::Plan).0]);
    stage.engine.settled().await;
    memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert!(memory.find(&shop_ref("x")).is_some() && memory.find(&map_ref("b", "far")).is_some());
    assert_eq!(counts(&stage).await, Some(PlanCounts { create: 0, adopt: 0, change: 0, delete: 1 }));
    stage.engine.configure(vec![keeper(Mode::Enforce).0]);
    stage.engine.settled().await;
    assert!(memory.find(&shop_ref("x")).is_none() && memory.find(&map_ref("b", "far")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_carried_out_once_the_mode_is_enforce() {
    let memory = memory();
    put(&memory, &shop("x", &["a/m"]));
    let stage = Stage::on(&memory, vec![keeper(Mode::Plan).0]).await;
    stage.engine.configure(vec![keeper(Mode::Enforce).0]);
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"of": "x"}));
    assert_eq!((stage.condition("mizzen.dev/keeper").1, counts(&stage).await), ("Ready".to_owned(), None));
}

#[tokio::test(start_paused = true)]
async fn a_paused_reconciler_is_not_called_and_its_objects_are_left_as_they_are() {
    let memory = memory();
    put(&memory, &shop("x", &["a/m", "b/far"]));
    let (node, _) = keeper(Mode::Enforce);
    let stage = Stage::on(&memory, vec![node]).await;
    let (node, calls) = keeper(Mode::Paused);
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    memory.take_writes();
    memory.edit("other-manager", &map_ref("a", "m"), |map| map["data"]["of"] = json!("y")).unwrap();
    memory.edit("user", &shop_ref("x"), |shop| shop["spec"]["of"] = json!("z")).unwrap();
    stage.engine.settled().await;
    memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!((count(&calls), stage.writes()), (0, Vec::new()));
    assert_eq!(stage.engine.snapshots().now().await.unwrap().nodes[0].state, State::Paused);
    assert!(memory.find(&shop_ref("x")).is_some(), "its finalizer stays");
    let (node, calls) = keeper(Mode::Enforce);
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    assert!(memory.find(&shop_ref("x")).is_none() && memory.find(&map_ref("b", "far")).is_none());
    assert_eq!(count(&calls), 0, "a plugin that does not finalize is not called for a deletion");
}

#[tokio::test(start_paused = true)]
async fn a_paused_predecessor_gates_no_successor() {
    let memory = memory();
    put(&memory, &shop("x", &[]));
    let (after, calls) = plugin("after").after("keeper").returns(|_| Ok(desires(Vec::new())));
    let _stage = Stage::on(&memory, vec![keeper(Mode::Paused).0, after]).await;
    assert_eq!(count(&calls), 1);
}
