//! What becomes of subjects that are held by a reconciler which the configuration does not name any more.

use std::time::Duration;

use crate::support::{Stage, a_map, a_shop, map_ref, memory, plugin, put, shop_ref, wants};
use mizzen_cluster::memory::Memory;
use mizzen_engine::NodeSpec;
use serde_json::json;

/// Wants a map in another namespace, so that it holds its subjects.
fn keeper() -> NodeSpec {
    plugin("keeper").answers(|_| Ok(wants(vec![a_map("b", "far", json!({}))]))).0
}

/// Is asked about Shops, too, and wants nothing.
fn other() -> NodeSpec {
    plugin("other").answers(|_| Ok(wants(Vec::new()))).0
}

/// A cluster in which a keeper holds Shop a/x.
async fn held() -> (Memory, Stage) {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![keeper(), other()]).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    (memory, stage)
}

/// Of Shop a/x; `None`: it is gone.
fn finalizers(memory: &Memory) -> Option<serde_json::Value> {
    memory.find(&shop_ref("x")).map(|shop| shop["metadata"]["finalizers"].clone())
}

async fn configured(stage: &Stage, nodes: Vec<NodeSpec>) {
    stage.engine.configure(nodes);
    stage.engine.settled().await;
}

async fn after(stage: &Stage, seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stage.engine.settled().await;
}

#[tokio::test(start_paused = true)]
async fn a_subject_of_a_reconciler_that_was_removed_is_let_go_and_what_was_applied_stays_and_is_told() {
    let (memory, stage) = held().await;
    configured(&stage, vec![other()]).await;
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
async fn a_subject_that_was_going_when_its_reconciler_was_removed_is_let_go_too() {
    let (memory, stage) = held().await;
    // What it applied can't be deleted now, so it does not let go itself.
    memory
        .edit("somebody", &map_ref("b", "far"), |map| map["metadata"]["finalizers"] = json!(["example.com/x"]))
        .unwrap();
    memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    configured(&stage, Vec::new()).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reconciler_that_comes_back_in_time_cleans_up_itself() {
    let (memory, stage) = held().await;
    configured(&stage, vec![other()]).await;
    memory.remove(&shop_ref("x"));
    after(&stage, 50).await;
    configured(&stage, vec![keeper(), other()]).await;
    assert!(finalizers(&memory).is_none() && memory.find(&map_ref("b", "far")).is_none());
    after(&stage, 70).await;
    assert!(memory.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_reconciler_holds_whose_document_is_wrong_is_not_given_up() {
    let (memory, stage) = held().await;
    stage.engine.set_invalid(["keeper".to_owned()]);
    configured(&stage, vec![other()]).await;
    memory.remove(&shop_ref("x"));
    after(&stage, 600).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    stage.engine.set_invalid([]);
    configured(&stage, vec![other()]).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_starts_finds_what_was_abandoned_while_there_was_none() {
    let (memory, stage) = held().await;
    stage.engine.stop().await;
    memory.remove(&shop_ref("x"));
    let stage = Stage::on(&memory, vec![other()]).await;
    after(&stage, 70).await;
    assert!(finalizers(&memory).is_none());
}

#[tokio::test(start_paused = true)]
async fn subjects_that_stay_and_finalizers_of_others_are_left_alone() {
    let (memory, stage) = held().await;
    configured(&stage, vec![other()]).await;
    after(&stage, 600).await;
    assert_eq!(finalizers(&memory), Some(json!(["mizzen.dev/keeper"])));
    let both = json!(["mizzen.dev/keeper", "example.com/keeper"]);
    memory.edit("somebody", &shop_ref("x"), |shop| shop["metadata"]["finalizers"] = both.clone()).unwrap();
    memory.remove(&shop_ref("x"));
    after(&stage, 70).await;
    assert_eq!(finalizers(&memory), Some(json!(["example.com/keeper"])));
}
