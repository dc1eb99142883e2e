//! Which objects a reconciler may apply, repair and delete: the objects that it owns, and only where that is granted.

use std::time::Duration;

use mizzen_cluster::{APPLIED_ANNOTATION, OWNER_LABEL, Owner, Ownership, OwnershipKeys, RECONCILER_LABEL};
use mizzen_config::Mode;
use mizzen_engine::NodeSpec;
use mizzen_model::Digest;
use serde_json::{Value, json};

use crate::support::{PluginBuilder, Stage, a_map, a_shop, desires, map_ref, memory, plugin, put, shop_ref};

/// A ConfigMap with the owner labels of reconciler `p` and Shop a/x, which any user can compute.
fn forged(namespace: &str, name: &str) -> Value {
    let owner = Digest::of_parts(["p", "example.com", "Shop", "a/x"].map(str::as_bytes)).short();
    let mut map = a_map(namespace, name, json!({}));
    map["metadata"]["labels"] = json!({RECONCILER_LABEL: "p", OWNER_LABEL: owner});
    map
}

/// A ConfigMap of namespace `a` that reconciler `p` applied for Shop a/x.
fn marked(name: &str) -> Value {
    let mut map = forged("a", name);
    let label = map["metadata"]["labels"][OWNER_LABEL].as_str().unwrap().to_owned();
    let owner = Owner { reconciler: "p", label: &label };
    let mark = OwnershipKeys::rehearsal().mark(owner, &map_ref("a", name), Ownership::Created);
    map["metadata"]["annotations"] = json!({APPLIED_ANNOTATION: format!("{mark}.0123456789abcdef")});
    map
}

/// A reconciler that may apply ConfigMaps in these namespaces only.
fn within(namespaces: &[&str]) -> PluginBuilder {
    let namespaces = namespaces.iter().map(|&name| name.to_owned()).collect();
    plugin("p").with(|_, reconciler| reconciler.grants.apply[0].namespaces = namespaces)
}

/// Desires ConfigMap a/m with this data.
fn wanting(builder: PluginBuilder, data: Value) -> NodeSpec {
    builder.returns(move |_| Ok(desires(vec![a_map("a", "m", data.clone())]))).0
}

#[tokio::test(start_paused = true)]
async fn an_object_with_owner_labels_in_a_namespace_that_is_not_granted_is_not_pruned() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &forged("elsewhere", "mine"));
    let stage = Stage::on(&memory, vec![wanting(within(&["a"]), json!({}))]).await;
    assert!(stage.memory.find(&map_ref("elsewhere", "mine")).is_some());
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn an_object_with_owner_labels_in_a_namespace_that_is_not_granted_does_not_block_a_deletion() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let builder = within(&["a", "b"]);
    let (node, _) = builder.returns(|_| Ok(desires(vec![a_map("b", "far", json!({}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let mut labelled = forged("elsewhere", "mine");
    labelled["metadata"]["finalizers"] = json!(["attacker.example/hold"]);
    stage.put(&labelled).await;
    stage.memory.remove(&shop_ref("x"));
    stage.after(Duration::from_mins(5)).await;
    assert_eq!((stage.memory.find(&shop_ref("x")), stage.memory.find(&map_ref("b", "far"))), (None, None));
    assert!(stage.memory.find(&map_ref("elsewhere", "mine")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_plan_deletes_nothing_in_a_namespace_that_is_not_granted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &forged("elsewhere", "mine"));
    put(&memory, &marked("leftover"));
    let builder = within(&["a"]).with(|_, reconciler| reconciler.mode = Mode::Plan);
    let stage = Stage::on(&memory, vec![wanting(builder, json!({}))]).await;
    let snapshot = stage.engine.snapshots().now().await.unwrap();
    let planned = snapshot.nodes[0].planned.unwrap();
    assert_eq!((planned.create, planned.delete), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_exists_already_is_a_conflict_even_where_no_field_differs() {
    for theirs in [json!({"k": "v"}), json!({"theirs": "1"})] {
        let memory = memory();
        put(&memory, &a_shop("x", json!({"wanted": true})));
        put(&memory, &a_map("a", "m", theirs.clone()));
        let (node, _) = plugin("p").returns(|shop| {
            let wanted = shop["spec"]["wanted"] == true;
            Ok(desires(if wanted { vec![a_map("a", "m", json!({"k": "v"}))] } else { Vec::new() }))
        });
        let stage = Stage::on(&memory, vec![node]).await;
        let (status, reason, message) = stage.condition("mizzen.dev/p");
        assert_eq!((&*status, &*reason), ("False", "Conflict"));
        assert_eq!(
            message,
            "ConfigMap a/m exists already and was not created by reconciler `p` (its field managers: `user`); to adopt \
             it, grant `adopt`, or annotate the object with `mizzen.dev/adopt: p`"
        );
        stage.put(&a_shop("x", json!({"wanted": false}))).await;
        let map = stage.memory.find(&map_ref("a", "m")).unwrap();
        assert_eq!((&map["data"], map["metadata"].get("labels")), (&theirs, None));
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_with_only_the_reconciler_label_is_a_conflict_as_well() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut theirs = a_map("a", "m", json!({}));
    theirs["metadata"]["labels"] = json!({RECONCILER_LABEL: "p"});
    put(&memory, &theirs);
    let stage = Stage::on(&memory, vec![wanting(plugin("p"), json!({"k": "v"}))]).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Conflict");
    assert_eq!(stage.data("m"), Some(json!({})));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_exists_already_is_a_conflict_in_a_plan_and_not_a_creation() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_map("a", "m", json!({})));
    let planning = plugin("p").with(|_, reconciler| reconciler.mode = Mode::Plan);
    let stage = Stage::on(&memory, vec![wanting(planning, json!({}))]).await;
    let node = stage.engine.snapshots().now().await.unwrap().nodes.remove(0);
    assert_eq!(node.planned.unwrap().create, 0);
    let error = node.last_error.unwrap();
    assert!(error.contains("ConfigMap a/m exists already") && error.contains("grant `adopt`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_another_party_created_in_place_of_an_owned_one_is_a_conflict() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![wanting(plugin("p"), json!({}))]).await;
    stage.engine.stop().await;
    memory.remove(&map_ref("a", "m"));
    put(&memory, &a_map("a", "m", json!({})));
    let stage = Stage::on(&memory, vec![wanting(plugin("p"), json!({}))]).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Conflict");
}

#[tokio::test(start_paused = true)]
async fn an_owned_object_that_lost_its_labels_is_still_owned_and_gets_them_back() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![wanting(plugin("p"), json!({"k": "v"}))]).await;
    let unlabel = |map: &mut Value| drop(map["metadata"].as_object_mut().unwrap().remove("labels"));
    stage.memory.edit("user", &map_ref("a", "m"), unlabel).unwrap();
    stage.engine.settled().await;
    let map = stage.memory.find(&map_ref("a", "m")).unwrap();
    assert_eq!(
        (&*stage.condition("mizzen.dev/p").1, &map["metadata"]["labels"][RECONCILER_LABEL]),
        ("Ready", &json!("p"))
    );
}
