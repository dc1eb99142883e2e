//! Two subjects that want the same object, or fields of one.

use crate::support::{Stage, a_map, a_shop, config_map, count, desires, map_ref, memory, plugin, put, shop_ref};
use mizzen_config::Grant;
use mizzen_engine::NodeSpec;
use mizzen_model::{Access, Need, Outcome, Patch, Readiness};
use serde_json::{Value, json};

/// A plugin that desires the ConfigMap that its shop names, if it names one.
fn named() -> NodeSpec {
    let map = |shop: &Value| {
        let name = shop["spec"]["map"].as_str()?;
        Some(a_map("a", name, json!({"of": shop["metadata"]["name"]})))
    };
    plugin("p").returns(move |shop| Ok(desires(map(shop).into_iter().collect()))).0
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_subjects_keeps_an_object_and_the_other_reports_its_owner() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let stage = Stage::on(&memory, vec![named()]).await;
    stage.writes();
    stage.put(&a_shop("y", json!({"map": "m"}))).await;
    assert_eq!(stage.data("m").unwrap(), json!({"of": "x"}));
    let (status, reason, message) = stage.condition_of("y", "mizzen.dev/p");
    assert_eq!((&*status, &*reason), ("False", "Conflict"));
    assert!(message.contains("ConfigMap a/m is wanted by Shop a/x"), "{message}");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    let writes = stage.writes();
    assert!(writes.iter().all(|write| write.verb == "status"), "{writes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_subject_gets_an_object_when_its_owner_no_longer_wants_it() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let stage = Stage::on(&memory, vec![named()]).await;
    stage.put(&a_shop("y", json!({"map": "m"}))).await;
    stage.put(&a_shop("x", json!({"map": "other"}))).await;
    assert_eq!(stage.data("m").unwrap(), json!({"of": "y"}));
    assert_eq!(stage.condition_of("y", "mizzen.dev/p").1, "Ready");
    assert_eq!(stage.data("other").unwrap(), json!({"of": "x"}));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_subject_gets_an_object_when_its_owner_is_deleted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let stage = Stage::on(&memory, vec![named()]).await;
    stage.put(&a_shop("y", json!({"map": "m"}))).await;
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"of": "y"}));
    assert_eq!(stage.condition_of("y", "mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn a_restarted_host_knows_which_subject_owns_an_object() {
    let memory = memory();
    // The subject that is reconciled first is not the owner.
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_shop("y", json!({"map": "m"})));
    let first = Stage::on(&memory, vec![named()]).await;
    first.engine.stop().await;
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let second = Stage::on(&memory, vec![named()]).await;
    assert_eq!(second.data("m").unwrap(), json!({"of": "y"}));
    assert_eq!(second.condition("mizzen.dev/p").1, "Conflict");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_applied_for_a_deleted_subject_passes_to_the_next() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let first = Stage::on(&memory, vec![named()]).await;
    first.engine.stop().await;
    memory.edit("other-manager", &map_ref("a", "m"), |map| drop(map["metadata"]["ownerReferences"].take())).unwrap();
    memory.remove(&shop_ref("x"));
    put(&memory, &a_shop("y", json!({"map": "m"})));
    let second = Stage::on(&memory, vec![named()]).await;
    assert_eq!(second.data("m").unwrap(), json!({"of": "y"}));
}

/// A plugin that patches the ConfigMap `m` with each of the fragments of its shop.
fn patching() -> (NodeSpec, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let builder = plugin("p").with(|description, reconciler| {
        let kind = config_map();
        description.needs.push(Need { kind: kind.clone(), access: Access::Patch, why: String::new() });
        reconciler.grants.patch.push(Grant::everywhere(kind));
    });
    builder.returns(|shop| {
        let patch = |fragment: &Value| Patch {
            object: map_ref("a", "m"),
            fragment: fragment.clone(),
            pace: None,
            reason: "because".into(),
        };
        let patches = shop["spec"]["fragments"].as_array().into_iter().flatten().map(patch).collect();
        Ok(Outcome { patches, ..Outcome::new(Readiness::Ready) })
    })
}

fn a_patch(shop: &str, fragments: &[Value]) -> Value {
    a_shop(shop, json!({"fragments": fragments}))
}

#[tokio::test(start_paused = true)]
async fn two_subjects_that_patch_one_object_leave_each_other_their_fields() {
    let memory = memory();
    put(&memory, &a_map("a", "m", json!({"theirs": "1"})));
    put(&memory, &a_patch("x", &[json!({"data": {"x": "1"}})]));
    put(&memory, &a_patch("y", &[json!({"data": {"y": "1"}})]));
    let (node, calls) = patching();
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"theirs": "1", "x": "1", "y": "1"}));
    let writes = stage.writes().iter().filter(|write| write.verb == "apply").count();
    assert_eq!((count(&calls), writes), (2, 2));
    stage.put(&a_patch("x", &[json!({"data": {"z": "1"}})])).await;
    assert_eq!(stage.data("m").unwrap(), json!({"theirs": "1", "y": "1", "z": "1"}));
}

#[tokio::test(start_paused = true)]
async fn two_subjects_that_want_different_values_of_a_field_report_a_conflict_and_do_not_fight() {
    let memory = memory();
    put(&memory, &a_map("a", "m", json!({})));
    put(&memory, &a_patch("x", &[json!({"data": {"k": "x"}})]));
    let stage = Stage::on(&memory, vec![patching().0]).await;
    stage.put(&a_patch("y", &[json!({"data": {"k": "y"}})])).await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "x"}));
    let (_, reason, message) = stage.condition_of("y", "mizzen.dev/p");
    assert!(reason == "Conflict" && message.contains("`.data.k` is owned by `mizzen.dev/p-"), "{reason}: {message}");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn the_patches_of_one_outcome_are_one_patch_of_each_object() {
    let memory = memory();
    put(&memory, &a_map("a", "m", json!({})));
    put(&memory, &a_patch("x", &[json!({"data": {"a": "1", "b": "1"}}), json!({"data": {"b": "1", "c": "1"}})]));
    let stage = Stage::on(&memory, vec![patching().0]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"a": "1", "b": "1", "c": "1"}));
    assert_eq!(stage.writes().iter().filter(|write| write.verb == "apply").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn patches_of_one_outcome_that_contradict_each_other_are_refused() {
    let memory = memory();
    put(&memory, &a_map("a", "m", json!({})));
    put(&memory, &a_patch("x", &[json!({"data": {"a": "1"}}), json!({"data": {"a": "2"}})]));
    let stage = Stage::on(&memory, vec![patching().0]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "InvalidOutcome");
    assert!(message.contains("ConfigMap a/m is patched twice, with different values of `data.a`"), "{message}");
    assert_eq!(stage.data("m").unwrap(), json!({}));
}
