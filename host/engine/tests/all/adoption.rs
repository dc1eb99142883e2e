//! Objects that exist already and that no reconciler created: adopted by consent alone, and released, not deleted.

use mizzen_cluster::memory::Memory;
use mizzen_config::Mode;
use mizzen_engine::{ADOPT_ANNOTATION, ADOPTED_ANNOTATION, NodeSpec, PlanCounts};
use serde_json::{Value, json};

use crate::support::{PluginBuilder, Stage, a_map, a_shop, desires, map_ref, memory, plugin, put, shop_ref};

/// Desires ConfigMap a/m with this data while its Shop says so.
fn wanting(builder: PluginBuilder, data: Value) -> NodeSpec {
    let (node, _) = builder.returns(move |shop| {
        let wanted = shop["spec"]["wanted"] == true;
        Ok(desires(if wanted { vec![a_map("a", "m", data.clone())] } else { Vec::new() }))
    });
    node
}

/// A reconciler whose apply grant lets it adopt.
fn adopting() -> PluginBuilder {
    plugin("p").with(|_, reconciler| reconciler.grants.apply[0].adopt = true)
}

/// A cluster with Shop a/x, and ConfigMap a/m of another party.
fn theirs(annotations: Value) -> Memory {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"wanted": true})));
    let mut map = a_map("a", "m", json!({"theirs": "1"}));
    map["metadata"]["labels"] = json!({"app": "theirs"});
    if annotations != json!({}) {
        map["metadata"]["annotations"] = annotations;
    }
    put(&memory, &map);
    memory
}

/// The labels, annotations and owner references of ConfigMap a/m; empty ones are left out.
fn metadata(stage: &Stage) -> [Value; 3] {
    let map = stage.memory.find(&map_ref("a", "m")).unwrap();
    ["labels", "annotations", "ownerReferences"].map(|field| match &map["metadata"][field] {
        Value::Object(map) if map.is_empty() => Value::Null,
        other => other.clone(),
    })
}

#[tokio::test(start_paused = true)]
async fn an_adopted_object_is_released_when_it_leaves_the_wanted_set() {
    let stage = Stage::on(&theirs(json!({})), vec![wanting(adopting(), json!({"k": "v"}))]).await;
    assert_eq!(&*stage.condition("mizzen.dev/p").1, "Ready");
    assert_eq!(stage.data("m"), Some(json!({"theirs": "1", "k": "v"})));
    let [labels, annotations, owners] = metadata(&stage);
    assert_eq!((&annotations[ADOPTED_ANNOTATION], &owners), (&json!("true"), &Value::Null));
    assert_eq!(labels["mizzen.dev/reconciler"], "p");
    stage.put(&a_shop("x", json!({"wanted": false}))).await;
    assert_eq!(stage.data("m"), Some(json!({"theirs": "1", "k": "v"})));
    assert_eq!(metadata(&stage), [json!({"app": "theirs"}), Value::Null, Value::Null]);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_object_is_released_when_its_subject_is_deleted_also_by_a_restarted_host() {
    let memory = theirs(json!({}));
    let stage = Stage::on(&memory, vec![wanting(adopting(), json!({}))]).await;
    stage.engine.stop().await;
    memory.take_writes();
    let stage = Stage::on(&memory, vec![wanting(adopting(), json!({}))]).await;
    assert_eq!(stage.writes(), []);
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(stage.memory.find(&shop_ref("x")), None);
    assert_eq!(stage.data("m"), Some(json!({"theirs": "1"})));
    assert_eq!(metadata(&stage), [json!({"app": "theirs"}), Value::Null, Value::Null]);
}

#[tokio::test(start_paused = true)]
async fn the_owner_of_an_object_lets_one_reconciler_adopt_it_by_an_annotation() {
    let stage = Stage::on(&theirs(json!({ADOPT_ANNOTATION: "q"})), vec![wanting(plugin("p"), json!({}))]).await;
    assert_eq!(&*stage.condition("mizzen.dev/p").1, "Conflict");
    let offered = theirs(json!({ADOPT_ANNOTATION: "p"}));
    let stage = Stage::on(&offered, vec![wanting(plugin("p"), json!({}))]).await;
    assert_eq!(&*stage.condition("mizzen.dev/p").1, "Ready");
    stage.put(&a_shop("x", json!({"wanted": false}))).await;
    assert_eq!(metadata(&stage), [json!({"app": "theirs"}), json!({ADOPT_ANNOTATION: "p"}), Value::Null]);
}

#[tokio::test(start_paused = true)]
async fn force_takes_fields_and_does_not_adopt_and_adopt_takes_no_fields() {
    let forced = plugin("p").with(|_, reconciler| reconciler.grants.apply[0].force = true);
    let stage = Stage::on(&theirs(json!({})), vec![wanting(forced, json!({"theirs": "2"}))]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert!(reason == "Conflict" && message.contains("exists already"), "{reason}: {message}");
    let stage = Stage::on(&theirs(json!({})), vec![wanting(adopting(), json!({"theirs": "2"}))]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert!(reason == "Conflict" && message.contains("`.data.theirs` is owned by `user`"), "{reason}: {message}");
    let both = adopting().with(|_, reconciler| reconciler.grants.apply[0].force = true);
    let stage = Stage::on(&theirs(json!({})), vec![wanting(both, json!({"theirs": "2"}))]).await;
    assert_eq!((stage.data("m"), &*stage.condition("mizzen.dev/p").1), (Some(json!({"theirs": "2"})), "Ready"));
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_that_an_object_would_be_adopted() {
    let planning = adopting().with(|_, reconciler| reconciler.mode = Mode::Plan);
    let stage = Stage::on(&theirs(json!({})), vec![wanting(planning, json!({}))]).await;
    let planned = stage.engine.snapshots().now().await.unwrap().nodes[0].planned;
    assert_eq!(planned, Some(PlanCounts { adopt: 1, ..PlanCounts::default() }));
}

#[tokio::test(start_paused = true)]
async fn the_annotation_of_an_adopted_object_on_a_created_one_does_not_keep_it_from_being_deleted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"wanted": true})));
    let stage = Stage::on(&memory, vec![wanting(plugin("p"), json!({}))]).await;
    let adopt = |map: &mut Value| map["metadata"]["annotations"][ADOPTED_ANNOTATION] = json!("true");
    stage.memory.edit("tenant", &map_ref("a", "m"), adopt).unwrap();
    stage.engine.settled().await;
    stage.put(&a_shop("x", json!({"wanted": false}))).await;
    assert_eq!(stage.data("m"), None);
}

#[tokio::test(start_paused = true)]
async fn drift_of_an_adopted_object_is_repaired() {
    let stage = Stage::on(&theirs(json!({})), vec![wanting(adopting(), json!({"k": "v"}))]).await;
    stage.memory.edit("user", &map_ref("a", "m"), |map| map["data"]["k"] = json!("w")).unwrap();
    stage.engine.settled().await;
    assert_eq!(stage.data("m"), Some(json!({"theirs": "1", "k": "v"})));
    assert_eq!(metadata(&stage)[1][ADOPTED_ANNOTATION], "true");
}
