//! Installations in steps: incomplete sets of objects, kinds defined on the way, and objects that are never pruned.

use std::time::Duration;

use crate::support::{PluginBuilder, Stage, a_map, a_shop, count, desires, map_ref, memory, plugin, put, shop_ref};
use mizzen_cluster::ReadError;
use mizzen_engine::PRUNE_ANNOTATION;
use mizzen_model::{Access, Kind, Need, ObjectRef, Outcome, Readiness, Wanted};
use serde_json::{Value, json};

/// Desires the maps that its shop names: the complete set, or an incomplete one if `spec.soFar` is set.
fn stepwise() -> (mizzen_engine::NodeSpec, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    plugin("p").returns(|shop| {
        let names = shop["spec"]["names"].as_array().unwrap();
        let maps = names.iter().map(|name| a_map("a", name.as_str().unwrap(), json!({"k": "v"}))).collect();
        let wanted = if shop["spec"]["soFar"] == true { Wanted::SoFar(maps) } else { Wanted::All(maps) };
        Ok(Outcome { desired: Some(wanted), ..Outcome::new(Readiness::Ready) })
    })
}

fn definition() -> Kind {
    Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition")
}

fn stall() -> Kind {
    Kind::new("example.com/v1", "Stall")
}

fn stalls() -> Value {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object"}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "stalls.example.com", "annotations": {PRUNE_ANNOTATION: "never"}},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Stall", "plural": "stalls"},
                 "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    })
}

fn a_stall(name: &str) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Stall", "metadata": {"name": name, "namespace": "a"}, "spec": {}})
}

/// A plugin that may apply these kinds.
fn applying(kinds: &[Kind]) -> PluginBuilder {
    plugin("p").with(|description, reconciler| {
        for kind in kinds {
            description.needs.push(Need { kind: kind.clone(), access: Access::Apply, why: String::new() });
            let grant = mizzen_config::Grant { kind: kind.clone(), ..reconciler.grants.apply[0].clone() };
            reconciler.grants.apply.push(grant);
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_set_prunes_nothing_and_the_next_complete_set_prunes() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m", "n"]})));
    let stage = Stage::on(&memory, vec![stepwise().0]).await;
    stage.put(&a_shop("x", json!({"names": ["o"], "soFar": true}))).await;
    assert!(["m", "n", "o"].iter().all(|name| stage.data(name).is_some()));
    stage.put(&a_shop("x", json!({"names": ["n", "o"]}))).await;
    assert_eq!((stage.data("m"), stage.data("n").is_some(), stage.data("o").is_some()), (None, true, true));
}

#[tokio::test(start_paused = true)]
async fn drift_of_an_incomplete_set_is_repaired() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"], "soFar": true})));
    let (node, calls) = stepwise();
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.edit("kubectl-edit", &map_ref("a", "m"), |map| map["data"]["k"] = json!("other")).unwrap();
    stage.engine.settled().await;
    assert_eq!((stage.data("m").unwrap(), count(&calls)), (json!({"k": "v"}), 1));
}

#[tokio::test(start_paused = true)]
async fn a_restart_between_two_steps_writes_and_prunes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m", "n"]})));
    let stage = Stage::on(&memory, vec![stepwise().0]).await;
    stage.put(&a_shop("x", json!({"names": ["m"], "soFar": true}))).await;
    stage.engine.stop().await;
    memory.take_writes();
    let stage = Stage::on(&memory, vec![stepwise().0]).await;
    assert_eq!((stage.writes(), stage.data("n").is_some()), (Vec::new(), true));
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_set_is_deleted_with_its_subject() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let far = || Wanted::SoFar(vec![a_map("b", "far", json!({}))]);
    let (node, _) =
        plugin("p").returns(move |_| Ok(Outcome { desired: Some(far()), ..Outcome::new(Readiness::Ready) }));
    let stage = Stage::on(&memory, vec![node]).await;
    assert!(stage.memory.find(&map_ref("b", "far")).is_some());
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!((stage.memory.find(&map_ref("b", "far")), stage.memory.find(&shop_ref("x"))), (None, None));
}

#[tokio::test(start_paused = true)]
async fn objects_are_applied_in_the_plugins_order() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["c", "a", "b"]})));
    let stage = Stage::on(&memory, vec![stepwise().0]).await;
    let applied: Vec<_> = stage.writes().into_iter().filter(|write| write.verb == "apply").collect();
    assert_eq!(applied.iter().map(|write| &*write.object.name).collect::<Vec<_>>(), ["c", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_definition_and_an_object_of_the_kind_it_defines_are_one_outcome() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let builder = applying(&[definition(), stall()]);
    let begun = tokio::time::Instant::now();
    let stage = Stage::on(&memory, vec![builder.returns(|_| Ok(desires(vec![stalls(), a_stall("s")]))).0]).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "its kind can't be served before the definition is applied");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    assert!(stage.memory.find(&ObjectRef::new(stall(), Some("a"), "s")).is_some());
}

#[tokio::test(start_paused = true)]
async fn the_host_waits_for_a_new_kind_to_be_served_without_reporting_an_error() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    memory.fail_reads(&stall(), Some(ReadError::NotServed(stall())));
    let builder = applying(&[definition(), stall()]);
    let (node, calls) = builder.returns(|_| Ok(desires(vec![stalls(), a_stall("s")])));
    let served = memory.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        served.fail_reads(&stall(), None);
    });
    let started = tokio::time::Instant::now();
    let stage = Stage::on(&memory, vec![node]).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!((stage.condition("mizzen.dev/p").1, count(&calls)), ("Ready".into(), 1));
    assert_eq!(stage.memory.events(), []);
}

#[tokio::test(start_paused = true)]
async fn an_object_whose_definition_is_refused_is_not_waited_for() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    memory.fail_writes(&definition(), Some(forbidden()));
    let builder = applying(&[definition(), stall()]);
    let stage = Stage::on(&memory, vec![builder.returns(|_| Ok(desires(vec![stalls(), a_stall("s")]))).0]).await;
    let (status, _, message) = stage.condition("mizzen.dev/p");
    assert_eq!(status, "False");
    assert!(message.contains("no rights") && !message.contains("Stall"), "{message}");
}

fn forbidden() -> mizzen_cluster::WriteError {
    mizzen_cluster::WriteError::Forbidden { object: "stalls.example.com".into(), message: "no rights".into() }
}

#[tokio::test(start_paused = true)]
async fn an_object_annotated_to_never_be_pruned_stays_also_when_its_subject_is_deleted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["kept", "gone"]})));
    let (node, _) = plugin("p").returns(|shop| {
        let names = shop["spec"]["names"].as_array().unwrap();
        let maps = names.iter().map(|name| {
            let mut map = a_map("a", name.as_str().unwrap(), json!({"k": "v"}));
            if *name != "gone" {
                map["metadata"]["annotations"] = json!({PRUNE_ANNOTATION: "never"});
            }
            map
        });
        Ok(desires(maps.collect()))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"names": ["later"]}))).await;
    assert_eq!((stage.data("gone"), stage.data("kept").is_some()), (None, true));
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(stage.memory.find(&shop_ref("x")), None);
    for name in ["kept", "later"] {
        let map = stage.memory.find(&map_ref("a", name)).unwrap();
        assert_eq!(map["data"], json!({"k": "v"}));
        assert!(!map.to_string().contains("mizzen.dev/owner") && !map.to_string().contains("ownerReferences"), "{map}");
    }
}

#[tokio::test(start_paused = true)]
async fn drift_of_an_object_that_is_never_pruned_is_repaired() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut map = a_map("a", "m", json!({"k": "v"}));
    map["metadata"]["annotations"] = json!({PRUNE_ANNOTATION: "never"});
    let (node, _) = plugin("p").returns(move |_| Ok(desires(vec![map.clone()])));
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.remove(&map_ref("a", "m"));
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "v"}));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_value_of_the_prune_annotation_is_refused() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut map = a_map("a", "m", json!({}));
    map["metadata"]["annotations"] = json!({PRUNE_ANNOTATION: "sometimes"});
    let stage = Stage::on(&memory, vec![plugin("p").returns(move |_| Ok(desires(vec![map.clone()]))).0]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert!(reason == "InvalidOutcome" && message.contains("`never`"), "{message}");
}
