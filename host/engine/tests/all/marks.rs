//! Which objects count as owned: those whose mark fits, whatever labels others carry.

use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::memory::Memory;
use mizzen_cluster::{OWNER_LABEL, OwnershipKey, OwnershipKeys, RECONCILER_LABEL};
use mizzen_engine::observe::Log;
use mizzen_engine::{Engine, Settings};
use mizzen_model::{Access, Digest, Kind, Need, ObjectRef};
use serde_json::{Value, json};

use crate::support::{PluginBuilder, Stage, a_map, a_shop, desires, map_ref, memory, plugin, put, shop_ref};

/// A ConfigMap with the labels of reconciler `p` and Shop a/x, which anyone can compute.
fn forged(namespace: &str, name: &str) -> Value {
    let owner = Digest::of_parts(["p", "example.com", "Shop", "a/x"].map(str::as_bytes)).short();
    let mut map = a_map(namespace, name, json!({}));
    map["metadata"]["labels"] = json!({RECONCILER_LABEL: "p", OWNER_LABEL: owner});
    map["metadata"]["annotations"] = json!({"mizzen.dev/applied": "0123456789abcdef0123456789abcdef.0123456789abcdef"});
    map
}

/// Wants the maps of namespace `a` that its Shop names.
fn named(builder: PluginBuilder) -> mizzen_engine::NodeSpec {
    let (node, _) = builder.returns(|shop| {
        let names = shop["spec"]["names"].as_array().cloned().unwrap_or_default();
        Ok(desires(names.iter().map(|name| a_map("a", name.as_str().unwrap(), json!({"k": "v"}))).collect()))
    });
    node
}

#[tokio::test(start_paused = true)]
async fn an_object_with_forged_labels_and_mark_is_not_pruned_and_is_reported_once() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    put(&memory, &forged("a", "theirs"));
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    stage.put(&a_shop("x", json!({"names": ["n"]}))).await;
    assert!(stage.memory.find(&map_ref("a", "theirs")).is_some());
    assert_eq!((stage.data("m"), &*stage.condition("mizzen.dev/p").1), (None, "Ready"));
    let reported = stage.memory.events().into_iter().filter(|event| event.reason == "NotOwned").collect::<Vec<_>>();
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].note.contains("ConfigMap a/theirs"), "{reported:?}");
}

#[tokio::test(start_paused = true)]
async fn an_object_with_forged_labels_does_not_block_the_deletion_of_a_subject() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, _) = plugin("p").returns(|_| Ok(desires(vec![a_map("b", "far", json!({}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let mut held = forged("attacker", "mine");
    held["metadata"]["finalizers"] = json!(["attacker.example/hold"]);
    stage.put(&held).await;
    stage.memory.remove(&shop_ref("x"));
    stage.after(Duration::from_mins(5)).await;
    assert_eq!((stage.memory.find(&shop_ref("x")), stage.memory.find(&map_ref("b", "far"))), (None, None));
    let mine = stage.memory.find(&map_ref("attacker", "mine")).unwrap();
    assert_eq!(mine["metadata"].get("deletionTimestamp"), None);
}

#[tokio::test(start_paused = true)]
async fn labels_and_mark_that_a_controller_copies_to_another_object_do_not_make_that_ours() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    let mut copy = a_map("a", "copy", json!({}));
    let original = stage.memory.find(&map_ref("a", "m")).unwrap();
    for field in ["labels", "annotations"] {
        copy["metadata"][field] = original["metadata"][field].clone();
    }
    stage.put(&copy).await;
    stage.put(&a_shop("x", json!({"names": []}))).await;
    assert_eq!(stage.data("m"), None);
    assert!(stage.memory.find(&map_ref("a", "copy")).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_restored_from_a_backup_with_another_uid_is_still_owned() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    stage.engine.stop().await;
    let mut restored = memory.find(&map_ref("a", "m")).unwrap();
    memory.remove(&map_ref("a", "m"));
    restored["metadata"]["uid"] = json!("restored");
    put(&memory, &restored);
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    stage.put(&a_shop("x", json!({"names": []}))).await;
    assert_eq!(stage.data("m"), None);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_an_edit_removes_is_applied_again() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    let unmark = |map: &mut Value| drop(map["metadata"].as_object_mut().unwrap().remove("annotations"));
    stage.memory.edit("user", &map_ref("a", "m"), unmark).unwrap();
    stage.engine.settled().await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    stage.put(&a_shop("x", json!({"names": []}))).await;
    assert_eq!(stage.data("m"), None);
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_sets_the_prune_annotation_does_not_make_an_object_outlive_its_subject() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = Stage::on(&memory, vec![named(plugin("p"))]).await;
    let never = |map: &mut Value| map["metadata"]["annotations"]["mizzen.dev/prune"] = json!("never");
    stage.memory.edit("tenant", &map_ref("a", "m"), never).unwrap();
    stage.engine.settled().await;
    stage.put(&a_shop("x", json!({"names": []}))).await;
    assert_eq!(stage.data("m"), None);
}

/// A host that recognizes marks by these keys.
async fn keyed(memory: &Memory, keys: &OwnershipKeys, builder: PluginBuilder) -> Stage {
    let settings = Settings { ownership: keys.clone(), ..Settings::default() };
    let engine = Engine::start_with(Arc::new(memory.clone()), Arc::new(Log), settings);
    engine.configure(vec![named(builder)]);
    engine.settled().await;
    Stage { memory: memory.clone(), engine }
}

fn key(byte: u8) -> OwnershipKey {
    OwnershipKey::new([byte; 32])
}

#[tokio::test(start_paused = true)]
async fn without_the_key_all_objects_are_foreign_and_nothing_is_deleted_until_they_are_adopted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = keyed(&memory, &OwnershipKeys::new(key(1), []), plugin("p")).await;
    stage.engine.stop().await;
    let lost = OwnershipKeys::new(key(2), []);
    let stage = keyed(&memory, &lost, plugin("p")).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert!(reason == "Conflict" && message.contains("grant `adopt`"), "{reason}: {message}");
    stage.put(&a_shop("x", json!({"names": []}))).await;
    assert!(stage.data("m").is_some());
    stage.engine.stop().await;
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let adopting = plugin("p").with(|_, reconciler| reconciler.grants.apply[0].adopt = true);
    let stage = keyed(&memory, &lost, adopting).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_marks_objects_again_without_a_conflict() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m"]})));
    let stage = keyed(&memory, &OwnershipKeys::new(key(1), []), plugin("p")).await;
    stage.engine.stop().await;
    let stage = keyed(&memory, &OwnershipKeys::new(key(2), [key(1)]), plugin("p")).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    stage.engine.stop().await;
    memory.take_writes();
    let stage = keyed(&memory, &OwnershipKeys::new(key(2), []), plugin("p")).await;
    assert_eq!((&*stage.condition("mizzen.dev/p").1, stage.writes()), ("Ready", Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn an_object_left_behind_by_a_deleted_subject_is_inherited_by_a_later_one() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut map = a_map("a", "m", json!({"k": "v"}));
    map["metadata"]["annotations"] = json!({"mizzen.dev/prune": "never"});
    let (node, _) = plugin("p").returns(move |_| Ok(desires(vec![map.clone()])));
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert!(stage.data("m").is_some() && stage.memory.find(&shop_ref("x")).is_none());
    stage.put(&a_shop("y", json!({}))).await;
    assert_eq!(stage.condition_of("y", "mizzen.dev/p").1, "Ready");
}

const BOXES: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Box, plural: boxes}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {x-kubernetes-preserve-unknown-fields: true}}}
    - {name: v1beta1, served: true, schema: {openAPIV3Schema: {x-kubernetes-preserve-unknown-fields: true}}}
";

fn a_box(version: &str) -> Value {
    json!({"apiVersion": format!("example.com/{version}"), "kind": "Box",
           "metadata": {"name": "b", "namespace": "a"}, "spec": {}})
}

fn box_ref() -> ObjectRef {
    ObjectRef::new(Kind::new("example.com/v1", "Box"), Some("a"), "b")
}

/// May apply Boxes in both versions, and wants one in each version that its Shop names.
fn boxes() -> mizzen_engine::NodeSpec {
    let builder = plugin("p").with(|description, reconciler| {
        for version in ["v1", "v1beta1"] {
            let kind = Kind::new(format!("example.com/{version}"), "Box");
            description.needs.push(Need { kind: kind.clone(), access: Access::Apply, why: String::new() });
            reconciler.grants.apply.push(mizzen_config::Grant::everywhere(kind));
        }
    });
    let (node, _) = builder.returns(|shop| {
        let versions = shop["spec"]["versions"].as_array().cloned().unwrap_or_default();
        Ok(desires(versions.iter().map(|version| a_box(version.as_str().unwrap())).collect()))
    });
    node
}

/// A cluster with Shop a/x and Boxes in two versions, and the host on it.
async fn with_boxes(versions: Value) -> Stage {
    let memory = memory();
    put(&memory, &mizzen_model::yaml::value(BOXES).unwrap());
    put(&memory, &a_shop("x", json!({"versions": versions})));
    Stage::on(&memory, vec![boxes()]).await
}

#[tokio::test(start_paused = true)]
async fn an_object_is_not_pruned_as_another_version_of_itself() {
    let stage = with_boxes(json!(["v1"])).await;
    assert!(stage.memory.find(&box_ref()).is_some());
    stage.writes();
    stage.put(&a_shop("x", json!({"versions": ["v1"], "again": 1}))).await;
    assert!(stage.writes().iter().all(|write| write.verb != "delete"));
    stage.put(&a_shop("x", json!({"versions": ["v1beta1"]}))).await;
    assert!(stage.memory.find(&box_ref()).is_some());
    assert!(stage.writes().iter().all(|write| write.verb != "delete"));
    stage.put(&a_shop("x", json!({"versions": []}))).await;
    assert_eq!(stage.memory.find(&box_ref()), None);
    assert_eq!(stage.writes().iter().filter(|write| write.verb == "delete").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_wanted_in_two_versions_is_wanted_twice() {
    let stage = with_boxes(json!(["v1", "v1beta1"])).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((&*reason, stage.memory.find(&box_ref())), ("InvalidOutcome", None));
    assert!(message.contains("Box a/b is wanted twice"), "{message}");
}
