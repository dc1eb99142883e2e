//! The order of reconcilers: forwards when objects are applied, backwards when a subject is deleted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{
    Stage, a_map, a_shop, config_map, count, desires, map_ref, memory, plugin, put, shop_ref, switch,
};
use mizzen_engine::NodeSpec;
use mizzen_model::{Access, CallError, Kind, Need, Outcome, Readiness};
use serde_json::json;

fn readiness(ready: bool) -> Readiness {
    if ready { Readiness::Ready } else { Readiness::Progressing("warming up".into()) }
}

#[tokio::test(start_paused = true)]
async fn a_successor_is_gated_until_its_predecessor_is_ready() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"ready": false})));
    let (first, _) = plugin("first").returns(|shop| Ok(Outcome::new(readiness(shop["spec"]["ready"] == true))));
    let (second, calls) = plugin("second").after("first").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let stage = Stage::on(&memory, vec![first, second]).await;
    assert_eq!((count(&calls), stage.condition("mizzen.dev/second").1), (0, String::new()));
    // Reported only after a while: a restart, in which every key is gated for a moment, writes nothing.
    tokio::time::advance(Duration::from_secs(6)).await;
    stage.engine.settled().await;
    let (status, reason, message) = stage.condition("mizzen.dev/second");
    assert_eq!((&*status, &*reason), ("Unknown", "WaitingForPredecessor"));
    assert!(message.contains("`first`") && message.contains("warming up"), "{message}");
    stage.put(&a_shop("x", json!({"ready": true}))).await;
    assert_eq!((count(&calls), stage.condition("mizzen.dev/second").1), (1, "Ready".into()));
}

#[tokio::test(start_paused = true)]
async fn a_successor_does_not_run_while_its_predecessor_is_called_again() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"number": 1})));
    let (first, _) = plugin("first").returns(|shop| {
        let number = &shop["spec"]["number"];
        let map = a_map("a", "m", json!({"number": number.to_string()}));
        Ok(Outcome { readiness: readiness(*number != json!(2)), ..desires(vec![map]) })
    });
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let numbers = Arc::clone(&seen);
    let reading = plugin("alike").after("first").with(|description, reconciler| {
        description.needs.push(Need { kind: config_map(), access: Access::Read, why: String::new() });
        reconciler.grants.read.push(reconciler.grants.apply[0].clone());
    });
    let (second, _) = reading.reconciles(move |_, reads| {
        let numbers = Arc::clone(&numbers);
        async move {
            let map = reads.get(&map_ref("a", "m"), None).await.unwrap().unwrap();
            numbers.lock().unwrap().push(map.value()["data"]["number"].as_str().unwrap_or_default().to_owned());
            Ok(Ok(Outcome::new(Readiness::Ready)))
        }
    });
    let stage = Stage::on(&memory, vec![first, second]).await;
    for number in [2, 3] {
        stage.put(&a_shop("x", json!({"number": number}))).await;
    }
    assert_eq!(*seen.lock().unwrap(), ["1", "3"], "for 2, the first is not ready");
}

#[tokio::test(start_paused = true)]
async fn a_predecessor_with_another_kind_of_subject_must_be_ready_for_all_of_them() {
    let memory = memory();
    let mall = |name: &str, ready: bool| {
        json!({
            "apiVersion": "example.com/v1", "kind": "Mall",
            "metadata": {"name": name, "namespace": "a"}, "spec": {"ready": ready},
        })
    };
    put(&memory, &mall("one", true));
    put(&memory, &mall("two", false));
    put(&memory, &a_shop("x", json!({})));
    let malls = plugin("malls").subject_kind(Kind::new("example.com/v1", "Mall"));
    let (malls, _) = malls.returns(|mall| Ok(Outcome::new(readiness(mall["spec"]["ready"] == true))));
    let (shops, calls) = plugin("shops").after("malls").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let stage = Stage::on(&memory, vec![malls, shops]).await;
    assert_eq!(count(&calls), 0);
    stage.put(&mall("two", true)).await;
    assert_eq!(count(&calls), 1);
}

#[tokio::test(start_paused = true)]
async fn after_any_waits_for_any_outcome() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (first, _) = plugin("first").returns(|_| Ok(Outcome::new(Readiness::Failed("no".into()))));
    let (second, calls) = plugin("second").after_any("first").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let (third, gated) = plugin("third").after("first").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    Stage::on(&memory, vec![first, second, third]).await;
    assert_eq!((count(&calls), count(&gated)), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_follows_the_order_backwards() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let node = |name: &'static str, after: Option<&str>| {
        let builder = after.into_iter().fold(plugin(name).finalizes(), crate::support::PluginBuilder::after);
        builder.returns(move |_| Ok(desires(vec![a_map("b", name, json!({}))]))).0
    };
    let stage =
        Stage::on(&memory, vec![node("first", None), node("second", Some("first")), node("third", Some("second"))])
            .await;
    stage.writes();
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    let deleted = stage.writes().into_iter().filter(|write| write.verb == "delete");
    assert_eq!(deleted.map(|write| write.object.name.to_string()).collect::<Vec<_>>(), ["third", "second", "first"]);
    assert_eq!(stage.memory.find(&shop_ref("x")), None);
}

/// Two reconcilers in order, each with a ConfigMap in another namespace. The first refuses a deletion while the shop
/// has `spec.needed`.
fn refusing(log: &crate::support::Switch<Vec<&'static str>>) -> Vec<NodeSpec> {
    let node = |name: &'static str, after: Option<&str>| {
        let log = Arc::clone(log);
        let builder = after.into_iter().fold(plugin(name).finalizes(), crate::support::PluginBuilder::after);
        builder
            .returns(move |shop| {
                if shop["finalizing"] == true {
                    log.lock().unwrap().push(name);
                    if name == "first" && shop["spec"]["needed"] == true {
                        return Ok(Outcome::new(Readiness::Failed("it is needed".into())));
                    }
                }
                Ok(desires(vec![a_map("b", name, json!({}))]))
            })
            .0
    };
    vec![node("first", None), node("second", Some("first"))]
}

#[tokio::test(start_paused = true)]
async fn no_deletion_begins_while_a_reconciler_refuses_it() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"needed": true})));
    let log = switch(Vec::new());
    let stage = Stage::on(&memory, refusing(&log)).await;
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    let maps = || ["first", "second"].map(|name| memory.find(&map_ref("b", name)).is_some());
    assert_eq!(maps(), [true, true], "the successor's object stays while the predecessor's is needed");
    let (_, reason, message) = stage.condition("mizzen.dev/first");
    assert_eq!((&*reason, &*message), ("Failed", "it is needed"));
    // Also after a restart, and each plugin is called once.
    stage.engine.stop().await;
    log.lock().unwrap().clear();
    let stage = Stage::on(&memory, refusing(&log)).await;
    stage.engine.settled().await;
    log.lock().unwrap().sort_unstable();
    assert_eq!((maps(), &**log.lock().unwrap()), ([true, true], &["first", "second"][..]));
    stage.memory.edit("user", &shop_ref("x"), |shop| shop["spec"]["needed"] = json!(false)).unwrap();
    stage.engine.settled().await;
    assert_eq!((maps(), memory.find(&shop_ref("x"))), ([false, false], None));
}

#[tokio::test(start_paused = true)]
async fn a_paused_reconciler_is_not_asked_for_deletion_approval_and_keeps_its_finalizer() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"needed": true})));
    let log = switch(Vec::new());
    Stage::on(&memory, refusing(&log)).await.engine.stop().await;
    let mut nodes = refusing(&log);
    let mut paused = (*nodes[0].reconciler).clone();
    paused.mode = mizzen_config::Mode::Paused;
    nodes[0].reconciler = Arc::new(paused);
    let stage = Stage::on(&memory, nodes).await;
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(&**log.lock().unwrap(), ["second"]);
    assert!(memory.find(&shop_ref("x")).is_some() && memory.find(&map_ref("b", "second")).is_none());
}

#[tokio::test(start_paused = true)]
async fn one_bad_plugin_does_not_stop_the_others() {
    let memory = memory();
    for at in 0..50 {
        put(&memory, &a_shop(&format!("s{at}"), json!({})));
    }
    put(&memory, &a_shop("x", json!({})));
    let (panics, _) = plugin("panics").returns(|_| panic!("as planned"));
    let (traps, _) = plugin("traps").reconciles(|_, _| async { Err(CallError::Trap("unreachable".into())) });
    let (good, calls) = plugin("good").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let stage = Stage::on(&memory, vec![panics, traps, good]).await;
    assert_eq!(count(&calls), 51);
    assert_eq!(stage.condition("mizzen.dev/good").1, "Ready");
    assert_eq!(stage.condition("mizzen.dev/traps").1, "Trapped");
    let failed = stage.engine.snapshots().now().await.unwrap().nodes.iter().map(|node| node.failed).collect::<Vec<_>>();
    assert_eq!(failed, [51, 51, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_never_returns_does_not_block_the_others() {
    let memory = memory();
    for at in 0..200 {
        put(&memory, &a_shop(&format!("s{at}"), json!({})));
    }
    let (hangs, _) = plugin("hangs").reconciles(|_, _| std::future::pending());
    let (good, calls) = plugin("good").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let engine = mizzen_engine::Engine::start(
        Arc::new(memory),
        Arc::new(mizzen_engine::observe::Log),
        mizzen_engine::Concurrency::default(),
    );
    engine.configure(vec![hangs, good]);
    tokio::time::timeout(Duration::from_secs(20), async {
        while count(&calls) < 200 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}
