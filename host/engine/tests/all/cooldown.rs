//! A plugin whose calls are expensive is called less often: no change is lost, and no change of another field manager
//! is overwritten by an outdated outcome.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::support::{Stage, a_map, a_service, a_shop, count, desires, map_ref, memory, plugin, put};
use mizzen_engine::observe::Log;
use mizzen_engine::{Delays, Engine, NodeSpec, Settings};
use mizzen_model::{Outcome, Readiness, Wanted};
use serde_json::json;

/// A lister whose calls take this long.
fn slow_lister(takes: Duration) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin("slow").reconciles(move |shop, reads| async move {
        let found = crate::support::services(&reads, &shop).await;
        tokio::time::sleep(takes).await;
        let types: Vec<_> = found.unwrap_or_default().iter().map(|found| found["spec"]["type"].clone()).collect();
        Ok(Ok(desires(vec![a_map("a", "x", json!({"types": json!(types).to_string()}))])))
    })
}

/// Waits for a call of 200 ms, and for no cooldown of one that takes 100 ms or more.
async fn within_the_cooldown() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test(start_paused = true)]
async fn an_expensive_plugin_is_not_called_for_every_change_and_no_change_is_lost() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = slow_lister(Duration::from_millis(100));
    let stage = Stage::on(&memory, vec![node]).await;
    for at in 0..1_000 {
        put(&memory, &a_service("s", "x", &format!("T{at}")));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stage.after(Duration::from_secs(1)).await;
    assert!((10..=20).contains(&count(&calls)), "{} calls", count(&calls));
    assert_eq!(stage.data("x").unwrap()["types"], "[\"T999\"]");
}

#[tokio::test(start_paused = true)]
async fn the_first_change_after_a_cooldown_and_a_change_of_the_subject_do_not_wait() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = slow_lister(Duration::from_millis(100));
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"new": true}))).await;
    assert_eq!(count(&calls), 2);
    // This change has to wait until the cooldown is over.
    put(&memory, &a_service("s", "x", "A"));
    within_the_cooldown().await;
    assert_eq!(count(&calls), 2);
    stage.after(Duration::from_secs(2)).await;
    assert_eq!(count(&calls), 3);
    stage.put(&a_service("s", "x", "B")).await;
    assert_eq!((count(&calls), stage.data("x").unwrap()["types"].clone()), (4, json!("[\"B\"]")));
}

#[tokio::test(start_paused = true)]
async fn a_cheap_plugin_is_called_at_once_for_every_change() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = slow_lister(Duration::from_millis(2));
    let stage = Stage::on(&memory, vec![node]).await;
    for at in 0..20 {
        stage.put(&a_service("s", "x", &format!("T{at}"))).await;
    }
    assert_eq!(count(&calls), 21);
}

#[tokio::test(start_paused = true)]
async fn an_expensive_plugin_that_reads_what_it_writes_is_called_again_after_its_cooldown() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = plugin("p").reads_maps().reconciles(|_, reads| async move {
        let there = reads.get(&map_ref("a", "m"), None).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let readiness =
            if matches!(there, Ok(Some(_))) { Readiness::Ready } else { Readiness::Progressing("not there".into()) };
        let desired = Some(Wanted::All(vec![a_map("a", "m", json!({}))]));
        Ok(Ok(Outcome { desired, ..Outcome::new(readiness) }))
    });
    let stage = Stage::starting_on(&memory, vec![node]);
    within_the_cooldown().await;
    assert_eq!((count(&calls), stage.condition("mizzen.dev/p").1), (1, "Progressing".into()));
    stage.engine.settled().await;
    assert_eq!((count(&calls), stage.condition("mizzen.dev/p").1), (2, "Ready".into()));
}

#[tokio::test(start_paused = true)]
async fn drift_that_an_expensive_plugin_would_accept_is_not_repaired_during_its_cooldown() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = plugin("p").reads_maps().reconciles(|_, reads| async move {
        let there = reads.get(&map_ref("a", "m"), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let theirs = there.is_some_and(|there| there.value()["data"]["policy"] == "theirs");
        let data = if theirs { json!({"own": "ours"}) } else { json!({"own": "ours", "policy": "ours"}) };
        Ok(Ok(desires(vec![a_map("a", "m", data)])))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.after(Duration::from_secs(2)).await;
    let edit = |field: &str, value: &str| {
        memory.edit("other-manager", &map_ref("a", "m"), |map| map["data"][field] = json!(value)).unwrap();
    };
    // The key was called a moment ago, so it is in its cooldown.
    stage.put(&a_shop("x", json!({"new": true}))).await;
    let before = count(&calls);
    edit("policy", "theirs");
    within_the_cooldown().await;
    assert_eq!((count(&calls), stage.data("m").unwrap()), (before + 1, json!({"own": "ours", "policy": "theirs"})));

    // Drift of our own field is still repaired, with an outcome of a call that has read it.
    edit("own", "theirs");
    within_the_cooldown().await;
    assert_eq!(stage.data("m").unwrap(), json!({"own": "ours", "policy": "theirs"}));
}

#[tokio::test(start_paused = true)]
async fn the_engine_settles_only_when_a_slow_plugin_has_read_what_another_wrote() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let reader = plugin("reader").reads_maps().reconciles(|_, reads| async move {
        let there = reads.get(&map_ref("a", "written"), None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Ok(desires(vec![a_map("a", "copy", json!({"seen": there.is_some().to_string()}))])))
    });
    let writer = plugin("writer").reconciles(|_, _| async move {
        tokio::time::sleep(Duration::from_millis(70)).await;
        Ok(Ok(desires(vec![a_map("a", "written", json!({}))])))
    });
    let stage = Stage::on(&memory, vec![reader.0, writer.0]).await;
    assert_eq!(stage.data("copy").unwrap()["seen"], "true");
    assert_eq!((count(&reader.1), count(&writer.1)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_has_the_same_outcome_without_waiting_for_a_cooldown() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (lister, calls) = slow_lister(Duration::from_millis(100));
    let (sets, _) = plugin("sets").reconciles(|_, _| async move {
        tokio::time::sleep(Duration::from_millis(150)).await;
        Ok(Ok(desires(vec![a_map("a", "set", json!({}))])))
    });
    let settings = Settings { delays: Delays::Skipped, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    let begin = tokio::time::Instant::now();
    engine.configure(vec![lister, sets]);
    tokio::time::sleep(Duration::from_millis(110)).await;
    put(&memory, &a_service("s", "x", "A"));
    engine.settled().await;
    let stage = Stage { memory, engine };
    assert_eq!((stage.data("x").unwrap()["types"].clone(), count(&calls)), (json!("[\"A\"]"), 2));
    assert!(begin.elapsed() < Duration::from_millis(400), "{:?}", begin.elapsed());
}
