//! Orphaned subjects: their finalizer belongs to a reconciler that is not configured.

use std::time::Duration;

use crate::support::{Stage, a_map, a_shop, desires, map_ref, memory, plugin, put, shop_ref};
use mizzen_cluster::memory::Memory;
use mizzen_engine::NodeSpec;
use serde_json::json;

/// Applies a map in another namespace, so that its subjects have its finalizer.
fn keeper() -> NodeSpec {
    plugin("keeper").returns(|_| Ok(desires(vec![a_map("b", "far", json!({}))]))).0
}

/// Has Shops as subjects, too, and desires nothing.
fn other() -> NodeSpec {
    plugin("other").returns(|_| Ok(desires(Vec::new()))).0
}

/// A cluster in which Shop a/x has the finalizer of `keeper`.
async fn finalized() -> (Memory, Stage) {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![keeper(), other()]).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    (memory, stage)
}

/// The finalizers of Shop a/x; `None` if it does not exist.
fn finalizers(memory: &Memory) -> Option<serde_json::Value> {
    memory.find(&shop_ref("x")).map(|shop| shop["metadata"]["finalizers"].clone())
}

async fn configure(stage: &Stage, nodes: Vec<NodeSpec>) {
    stage.engine.configure(nodes);
    stage.engine.settled().await;
}

async fn after(stage: &Stage, seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stage.engine.settled().await;
}

#[tokio::test(start_paused = true)]
async fn an_orphaned_finalizer_is_removed_and_an_event_names_the_objects_that_stay() {
    let (memory, stage) = finalized().await;
    configure(&stage, vec![other()]).await;
    memory.remove(&shop_ref("x"));
    after(&stage, 50).await;
    assert!(finalizers(&memory).is_some() && memory.events().is_empty());
    after(&stage, 20).await;
    assert!(finalizers(&memory).is_none() && memory.find(&map_ref("b", "far")).is_some());
    let events = memory.events();
    assert_eq!((events.len(), &*events[0].reason, &events[0].regarding), (1, "Orphaned", &shop_ref("x")));
    assert!(events[0].note.contains("`keeper`") && events[0].note.contains("ConfigMap b/far"), "{}", events[0].note);
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_was_being_deleted_when_its_reconciler_was_removed_is_orphaned_too() {
    let (memory, stage) = finalized().await;
    // The applied object can't be deleted yet, so the reconciler does not remove its finalizer itself.
    memory
        .edit("other-manager", &map_ref("b", "far"), |map| map["metadata"]["finalizers"] = json!(["example.com/x"]))
        .unwrap();
    memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    configure(&stage, Vec::new()).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_that_is_configured_again_in_time_finalizes_its_subjects() {
    let (memory, stage) = finalized().await;
    configure(&stage, vec![other()]).await;
    memory.remove(&shop_ref("x"));
    after(&stage, 50).await;
    configure(&stage, vec![keeper(), other()]).await;
    assert!(finalizers(&memory).is_none() && memory.find(&map_ref("b", "far")).is_none());
    after(&stage, 70).await;
    assert!(memory.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn subjects_of_a_reconciler_whose_document_is_invalid_are_not_orphaned() {
    let (memory, stage) = finalized().await;
    stage.engine.set_invalid(["keeper".to_owned()]);
    configure(&stage, vec![other()]).await;
    memory.remove(&shop_ref("x"));
    after(&stage, 600).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    stage.engine.set_invalid([]);
    configure(&stage, vec![other()]).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_starts_finds_finalizers_that_were_orphaned_while_it_did_not_run() {
    let (memory, stage) = finalized().await;
    stage.engine.stop().await;
    memory.remove(&shop_ref("x"));
    let stage = Stage::on(&memory, vec![other()]).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn subjects_that_are_not_being_deleted_and_finalizers_of_other_controllers_are_left_alone() {
    let (memory, stage) = finalized().await;
    configure(&stage, vec![other()]).await;
    after(&stage, 600).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    let both = json!(["mizzen.dev/keeper", "example.com/keeper"]);
    memory.edit("other-manager", &shop_ref("x"), |shop| shop["metadata"]["finalizers"] = both.clone()).unwrap();
    memory.remove(&shop_ref("x"));
    after(&stage, 70).await;
    assert_eq!(finalizers(&memory), Some(json!(["example.com/keeper"])));
}
