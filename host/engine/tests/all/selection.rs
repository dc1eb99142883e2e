//! The selection of subjects: what happens to an object that is not a subject any more.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use mizzen_config::Subject;
use mizzen_engine::NodeSpec;
use mizzen_model::{Failure, Outcome, Selector, Wanted};
use serde_json::{Value, json};

use crate::support::{
    PluginBuilder, Stage, a_map, a_shop, count, desires, map_ref, memory, plugin, put, service, shop, shop_ref, switch,
};

/// A plugin whose subjects are the Shops with these labels, in these namespaces.
fn selected(labels: &str, namespaces: &[&str]) -> PluginBuilder {
    let labels = Selector::parse(labels).unwrap();
    let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
    plugin("p").with(|_, reconciler| reconciler.subject = Subject { labels, namespaces, ..Subject::every(shop()) })
}

fn labelled(name: &str, spec: Value) -> Value {
    let mut shop = a_shop(name, spec);
    shop["metadata"]["labels"] = json!({"mesh": "yes"});
    shop
}

/// An object in another namespace, so that the subject has the finalizer.
fn applies_elsewhere(making: PluginBuilder) -> (NodeSpec, Arc<AtomicUsize>) {
    making.returns(|_| Ok(desires(vec![a_map("b", "far", json!({})), a_map("a", "near", json!({}))])))
}

fn unlabel(stage: &Stage) {
    stage.memory.edit("user", &shop_ref("x"), |shop| drop(shop["metadata"]["labels"].take())).unwrap();
}

/// Asserts that nothing is left of what was done for Shop a/x.
fn assert_clean(stage: &Stage) {
    let shop = stage.memory.find(&shop_ref("x")).unwrap();
    assert!(stage.memory.find(&map_ref("b", "far")).is_none() && stage.memory.find(&map_ref("a", "near")).is_none());
    assert!(shop["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty), "{shop:#}");
    assert!(shop["status"]["conditions"].as_array().is_none_or(Vec::is_empty), "{shop:#}");
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_leaves_the_selection_is_cleaned_up_and_can_be_deleted() {
    let memory = memory();
    put(&memory, &labelled("x", json!({})));
    let (node, calls) = applies_elsewhere(selected("mesh=yes", &[]));
    let stage = Stage::on(&memory, vec![node]).await;
    assert!(memory.find(&map_ref("b", "far")).is_some());
    let before = count(&calls);
    unlabel(&stage);
    stage.engine.settled().await;
    assert_clean(&stage);
    assert_eq!(count(&calls), before, "a plugin that does not finalize is not called");
    stage.writes();
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert!(stage.memory.find(&shop_ref("x")).is_none());
    assert!(stage.writes().iter().all(|write| write.manager != "mizzen.dev/p"));
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_the_configuration_takes_away_is_cleaned_up_without_a_call() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![applies_elsewhere(selected("", &["a"])).0]).await;
    assert!(memory.find(&map_ref("b", "far")).is_some());
    let (node, calls) = applies_elsewhere(selected("", &["elsewhere"]).version(2));
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    assert_clean(&stage);
    stage.put(&a_shop("x", json!({"changed": true}))).await;
    assert_eq!(count(&calls), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subject_of_a_kind_that_is_not_configured_any_more_is_cleaned_up() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![applies_elsewhere(selected("", &[])).0]).await;
    let services = selected("", &[]).version(2).with(|_, reconciler| {
        reconciler.subject.kind = service();
    });
    let (node, calls) = applies_elsewhere(services);
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    assert_clean(&stage);
    assert_eq!(count(&calls), 0);
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_left_the_selection_while_the_host_was_down_is_cleaned_up() {
    for is_deleted in [false, true] {
        let memory = memory();
        put(&memory, &labelled("x", json!({})));
        let stage = Stage::on(&memory, vec![applies_elsewhere(selected("mesh=yes", &[])).0]).await;
        stage.engine.stop().await;
        memory.edit("user", &shop_ref("x"), |shop| drop(shop["metadata"]["labels"].take())).unwrap();
        if is_deleted {
            memory.remove(&shop_ref("x"));
        }
        let (node, calls) = applies_elsewhere(selected("mesh=yes", &[]));
        let stage = Stage::on(&memory, vec![node]).await;
        if is_deleted {
            assert!(memory.find(&shop_ref("x")).is_none() && memory.find(&map_ref("b", "far")).is_none());
        } else {
            assert_clean(&stage);
        }
        assert_eq!(count(&calls), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_finalizing_plugin_finalizes_a_subject_that_leaves_the_selection_and_may_refuse() {
    let memory = memory();
    put(&memory, &labelled("x", json!({})));
    let refuses = switch(true);
    let answer = Arc::clone(&refuses);
    let (node, _) = selected("mesh=yes", &[]).finalizes().returns(move |shop| {
        let finalizing = shop["finalizing"] == true;
        if finalizing && *answer.lock().unwrap() {
            return Err(Failure::Retry("in use".into()));
        }
        let desired = if finalizing { Vec::new() } else { vec![a_map("b", "far", json!({}))] };
        Ok(Outcome { desired: Some(Wanted::All(desired)), ..desires(Vec::new()) })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    unlabel(&stage);
    stage.engine.settled().await;
    assert!(memory.find(&map_ref("b", "far")).is_some());
    assert!(stage.condition("mizzen.dev/p").2.contains("in use"));
    *refuses.lock().unwrap() = false;
    stage.after(Duration::from_mins(10)).await;
    assert_clean(&stage);
}

#[tokio::test(start_paused = true)]
async fn a_subject_that_is_selected_again_is_reconciled_again() {
    let memory = memory();
    put(&memory, &labelled("x", json!({})));
    let stage = Stage::on(&memory, vec![applies_elsewhere(selected("mesh=yes", &[])).0]).await;
    unlabel(&stage);
    stage.engine.settled().await;
    stage.put(&labelled("x", json!({}))).await;
    assert!(memory.find(&map_ref("b", "far")).is_some());
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn successors_clean_up_before_their_predecessors_when_a_subject_leaves_both_selections() {
    let memory = memory();
    put(&memory, &labelled("x", json!({})));
    let subject = |_: &mut mizzen_model::Description, reconciler: &mut mizzen_config::Reconciler| {
        reconciler.subject.labels = Selector::parse("mesh=yes").unwrap();
    };
    let node = |name: &'static str, map: &'static str| {
        let making = plugin(name).with(subject);
        let making = if name == "second" { making.after("first") } else { making };
        making.returns(move |_| Ok(desires(vec![a_map("b", map, json!({}))]))).0
    };
    let stage = Stage::on(&memory, vec![node("first", "one"), node("second", "two")]).await;
    stage.writes();
    unlabel(&stage);
    stage.engine.settled().await;
    let deleted: Vec<_> = stage.writes().into_iter().filter(|write| write.verb == "delete").collect();
    let names: Vec<_> = deleted.iter().map(|write| &*write.object.name).collect();
    assert_eq!(names, ["two", "one"]);
}

#[tokio::test(start_paused = true)]
async fn a_grant_writes_in_kube_system_and_in_the_hosts_namespace_only_if_it_names_them() {
    for namespace in ["kube-system", "mizzen-system"] {
        for (named, reason) in [(Vec::new(), "Denied"), (vec![namespace.to_owned()], "Ready")] {
            let memory = memory();
            put(&memory, &a_shop("x", json!({})));
            let making = plugin("p").with(|_, reconciler| reconciler.grants.apply[0].namespaces = named);
            let map = a_map(namespace, "far", json!({}));
            let stage = Stage::on(&memory, vec![making.returns(move |_| Ok(desires(vec![map.clone()]))).0]).await;
            let (_, found, message) = stage.condition("mizzen.dev/p");
            assert_eq!(found, reason, "{message}");
            assert_eq!(memory.find(&map_ref(namespace, "far")).is_some(), reason == "Ready");
        }
    }
}
