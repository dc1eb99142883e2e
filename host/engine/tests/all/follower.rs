//! An engine that follows: another host reconciles.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, Role, Settings, State};
use serde_json::json;

use crate::support::{Stage, a_map, a_shop, desires, map_ref, memory, plugin, put};

/// An engine that follows, once it has listed everything.
async fn follower(stage: &Stage) {
    loop {
        let snapshot = stage.engine.snapshots().now().await.unwrap();
        if snapshot.nodes.iter().all(|node| node.state == State::Running && node.subjects > 0) {
            return assert_eq!(snapshot.role, Role::Follower);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_lists_everything_calls_nothing_and_reconciles_once_it_leads() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({}))])));
    let settings = Settings { role: Role::Follower, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![node]);
    let stage = Stage { memory: memory.clone(), engine };
    follower(&stage).await;
    put(&memory, &a_shop("x", json!({"size": 2})));
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    assert_eq!((calls.load(Ordering::Relaxed), stage.writes().len()), (0, 0));

    stage.engine.lead();
    stage.engine.settled().await;
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(memory.find(&map_ref("a", "m")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_takes_over_writes_nothing_that_is_written_already() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let node = || plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({}))])));
    let leader = Stage::on(&memory, vec![node().0]).await;
    let settings = Settings { role: Role::Follower, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![node().0]);
    let stage = Stage { memory: memory.clone(), engine };
    follower(&stage).await;
    leader.engine.stop().await;
    assert!(!stage.writes().is_empty(), "what the leader wrote");

    stage.engine.lead();
    stage.engine.settled().await;
    assert_eq!(stage.writes(), []);
}
