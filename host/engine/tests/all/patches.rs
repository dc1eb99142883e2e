//! What the patches of an outcome may not do, whatever kinds are granted.

use mizzen_config::Grant;
use mizzen_engine::NodeSpec;
use mizzen_model::{Access, Digest, Fields, Need, Outcome, Patch, Readiness};
use serde_json::{Value, json};

use crate::support::{Stage, a_map, a_shop, config_map, desires, map_ref, memory, plugin, put};

/// The owner label of a Shop of namespace `a`, which anyone can compute.
fn owner(reconciler: &str, name: &str) -> String {
    Digest::of_parts([reconciler, "example.com", "Shop", &format!("a/{name}")].map(str::as_bytes)).short()
}

/// A plugin that patches ConfigMap a/m with one fragment, under a grant of these fields.
fn patching(fragment: Value, fields: Fields) -> NodeSpec {
    let making = plugin("p").with(|description, reconciler| {
        description.needs.push(Need { kind: config_map(), access: Access::Patch, why: String::new() });
        reconciler.grants.patch.push(Grant { fields, ..Grant::everywhere(config_map()) });
    });
    let patch = Patch { object: map_ref("a", "m"), fragment, pace: None, reason: "because".into() };
    making.returns(move |_| Ok(Outcome { patches: vec![patch.clone()], ..Outcome::new(Readiness::Ready) })).0
}

/// Reason and message of the condition after a patch of a ConfigMap, and the ConfigMap's data.
async fn patched(fragment: Value, fields: Fields) -> (String, String, Value) {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_map("a", "m", json!({"theirs": "1"})));
    let stage = Stage::on(&memory, vec![patching(fragment, fields)]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    (reason, message, stage.data("m").unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_patch_may_not_set_owner_references_finalizers_or_the_hosts_labels_and_annotations() {
    for metadata in [
        json!({"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "0"}]}),
        json!({"finalizers": ["x.example/y"]}),
        json!({"generateName": "m-"}),
        json!({"labels": {"mizzen.dev/reconciler": "q", "mizzen.dev/owner": owner("q", "x")}}),
        json!({"annotations": {"mizzen.dev/pace-other": "workloads 9999-12-30T00:00:00Z"}}),
        json!({"annotations": {"mizzen.dev/prune": "never"}}),
        json!({"annotations": {"mizzen.dev/applied": null}}),
        json!("m"),
        json!({"labels": "m"}),
    ] {
        let (reason, message, _) = patched(json!({"metadata": metadata, "data": {"ours": "2"}}), Fields::Whole).await;
        assert_eq!(reason, "InvalidOutcome", "{metadata}: {message}");
        assert!(message.contains("ConfigMap a/m") && message.contains("metadata"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_may_set_other_labels_and_annotations() {
    let metadata = json!({"labels": {"team": "a"}, "annotations": {"p.mizzen.dev/note": "b"}});
    let (reason, message, data) = patched(json!({"metadata": metadata, "data": {"ours": "2"}}), Fields::Whole).await;
    assert_eq!((&*reason, data), ("Ready", json!({"theirs": "1", "ours": "2"})), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_patch_sets_only_fields_that_its_grant_names() {
    let fields = Fields::parse(["data.ours"]).unwrap();
    let (reason, _, data) = patched(json!({"data": {"ours": "2"}}), fields.clone()).await;
    assert_eq!((&*reason, data), ("Ready", json!({"theirs": "1", "ours": "2"})));
    for fragment in [json!({"data": {"ours": "2", "more": "3"}}), json!({"data": {"more": null}}), json!({"data": "x"})]
    {
        let (reason, message, data) = patched(fragment, fields.clone()).await;
        assert_eq!((&*reason, data), ("Denied", json!({"theirs": "1"})));
        assert!(message.contains("`data") && message.contains("`fields`"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_applied_object_has_none_of_the_hosts_labels_and_annotations_but_the_one_against_pruning() {
    for (metadata, reason) in [
        (json!({"labels": {"mizzen.dev/owner": owner("q", "x")}}), "InvalidOutcome"),
        (json!({"annotations": {"mizzen.dev/pace-other": "workloads 9999-12-30T00:00:00Z"}}), "InvalidOutcome"),
        (json!({"annotations": {"mizzen.dev/prune": "never", "p.mizzen.dev/note": "b"}}), "Ready"),
    ] {
        let mut map = a_map("a", "m", json!({}));
        for (field, value) in metadata.as_object().unwrap() {
            map["metadata"][field] = value.clone();
        }
        let memory = memory();
        put(&memory, &a_shop("x", json!({})));
        let stage = Stage::on(&memory, vec![plugin("p").returns(move |_| Ok(desires(vec![map.clone()]))).0]).await;
        assert_eq!(stage.condition("mizzen.dev/p").1, reason, "{metadata}");
    }
}
