//! Which objects, fields and statuses the host writes, repairs and prunes.

use crate::support::{
    Stage, a_map, a_service, a_shop, config_map, count, desires, lister, map_ref, memory, plugin, put, service,
    shop_ref, switch,
};
use mizzen_cluster::{Apply, Cluster, ReadError, Target, WriteError};
use mizzen_model::{Condition, Failure, Outcome, Readiness};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_without_a_call() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, calls) = plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({"k": "v"}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.edit("kubectl-edit", &map_ref("a", "m"), |map| map["data"]["k"] = json!("other")).unwrap();
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "v"}));
    stage.memory.remove(&map_ref("a", "m"));
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "v"}));
    assert_eq!(count(&calls), 1);
    let events = stage.memory.events();
    let repairs: Vec<_> =
        events.iter().filter(|event| event.reason == "DriftRepaired").map(|event| &*event.note).collect();
    assert_eq!(
        repairs,
        [
            "ConfigMap a/m was changed by another party and is set again: `data.k`",
            "ConfigMap a/m was deleted by another party and is created again"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_outcome_or_a_restart_is_not_drift() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"k": "one"})));
    let node = || plugin("p").returns(|shop| Ok(desires(vec![a_map("a", "m", json!({"k": shop["spec"]["k"]}))]))).0;
    let stage = Stage::on(&memory, vec![node()]).await;
    stage.put(&a_shop("x", json!({"k": "two"}))).await;
    stage.engine.stop().await;
    memory.remove(&map_ref("a", "m"));
    let stage = Stage::on(&memory, vec![node()]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "two"}));
    assert_eq!(stage.memory.events().iter().filter(|event| event.reason == "DriftRepaired").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn fields_of_other_field_managers_are_left_alone() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage =
        Stage::on(&memory, vec![plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({"k": "v"}))]))).0])
            .await;
    stage.writes();
    stage.memory.edit("other-manager", &map_ref("a", "m"), |map| map["data"]["theirs"] = json!("1")).unwrap();
    stage.engine.settled().await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "v", "theirs": "1"}));
    assert_eq!(stage.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn null_labels_and_annotations_are_treated_as_absent() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut map = a_map("a", "m", json!({"k": "v"}));
    map["metadata"]["labels"] = json!(null);
    map["metadata"]["annotations"] = json!(null);
    let (node, calls) = plugin("p").returns(move |_| Ok(desires(vec![map.clone()])));
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((stage.data("m").unwrap(), count(&calls)), (json!({"k": "v"}), 1));
}

#[tokio::test(start_paused = true)]
async fn objects_that_leave_the_set_are_pruned_and_objects_of_other_parties_are_not() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"names": ["m", "n"]})));
    put(&memory, &a_map("a", "foreign", json!({})));
    let (node, _) = plugin("p").returns(|shop| {
        let names = shop["spec"]["names"].as_array().unwrap();
        Ok(desires(names.iter().map(|name| a_map("a", name.as_str().unwrap(), json!({}))).collect()))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"names": ["n"]}))).await;
    assert!(stage.memory.find(&map_ref("a", "m")).is_none());
    assert!(stage.memory.find(&map_ref("a", "n")).is_some() && stage.memory.find(&map_ref("a", "foreign")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_never_leads_to_a_prune() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_service("s", "x", "ClusterIP"));
    // Desires nothing when it can't read: a mistake that would prune everything.
    let (node, _) = lister("lister");
    let stage = Stage::on(&memory, vec![node]).await;
    assert!(stage.data("x").is_some());
    let away = ReadError::Unavailable { kind: service(), message: "away".into() };
    stage.memory.fail_reads(&service(), Some(away));
    stage.put(&a_shop("x", json!({"changed": true}))).await;
    assert!(stage.data("x").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_outcome_without_a_set_prunes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"known": true})));
    let (node, _) = plugin("p").returns(|shop| {
        let known = shop["spec"]["known"] == true;
        Ok(if known {
            desires(vec![a_map("a", "m", json!({}))])
        } else {
            Outcome::new(Readiness::Progressing("looking".into()))
        })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    stage.put(&a_shop("x", json!({"known": false}))).await;
    assert!(stage.data("m").is_some());
    assert_eq!(stage.condition("mizzen.dev/p").1, "Progressing");
}

#[tokio::test(start_paused = true)]
async fn a_failed_apply_is_reported_and_prunes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"name": "m"})));
    let (node, _) =
        plugin("p").returns(|shop| Ok(desires(vec![a_map("a", shop["spec"]["name"].as_str().unwrap(), json!({}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let refusal = WriteError::Forbidden { object: "ConfigMap a/n".into(), message: "no rights".into() };
    stage.memory.fail_writes(&config_map(), Some(refusal));
    stage.put(&a_shop("x", json!({"name": "n"}))).await;
    assert!(stage.memory.find(&map_ref("a", "m")).is_some());
    let (status, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((&*status, &*reason), ("False", "Forbidden"));
    assert!(message.contains("no rights"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_names_both_field_managers_and_changes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, _) = plugin("p").returns(|_| Ok(desires(vec![a_map("a", "m", json!({"k": "ours"}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let document = a_map("a", "m", json!({"k": "theirs"}));
    let theirs = Apply { manager: "gitops", document: &document, target: Target::Object, force: true };
    stage.memory.apply(theirs).await.unwrap();
    stage.engine.settled().await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "Conflict");
    assert!(
        message.contains("`mizzen.dev/p`") && message.contains("`gitops`") && message.contains(".data.k"),
        "{message}"
    );
    assert_eq!(stage.data("m").unwrap(), json!({"k": "theirs"}));
}

#[tokio::test(start_paused = true)]
async fn force_takes_over_the_fields_where_it_is_granted() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_map("a", "m", json!({"k": "theirs"})));
    let forced = plugin("p").with(|_, reconciler| {
        let grant = &mut reconciler.grants.apply[0];
        (grant.force, grant.adopt) = (true, true);
    });
    let stage =
        Stage::on(&memory, vec![forced.returns(|_| Ok(desires(vec![a_map("a", "m", json!({"k": "ours"}))]))).0]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"k": "ours"}));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_with_a_kind_that_is_not_granted_is_not_applied_at_all() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "a"}});
    let (node, _) = plugin("p").returns(move |_| Ok(desires(vec![a_map("a", "m", json!({})), service.clone()])));
    let stage = Stage::on(&memory, vec![node]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "Denied");
    assert!(message.contains("v1 Service"), "{message}");
    assert_eq!(stage.data("m"), None);
}

#[tokio::test(start_paused = true)]
async fn the_status_keeps_the_plugins_fields_when_a_later_call_fails() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let broken = switch(false);
    let is_broken = Arc::clone(&broken);
    let (node, _) = plugin("p").returns(move |_| {
        if *is_broken.lock().unwrap() {
            return Err(Failure::Retry("broken".into()));
        }
        let open =
            Condition { kind: "Open".into(), status: Some(true), reason: "Morning".into(), message: String::new() };
        Ok(Outcome {
            status: Some(json!({"url": "http://x"})),
            conditions: vec![open],
            ..Outcome::new(Readiness::Ready)
        })
    });
    let stage = Stage::on(&memory, vec![node]).await;
    *broken.lock().unwrap() = true;
    stage.put(&a_shop("x", json!({"changed": true}))).await;
    let shop = stage.memory.find(&shop_ref("x")).unwrap();
    assert_eq!(shop["status"]["url"], "http://x");
    assert_eq!(stage.condition("Open").0, "True");
    let own = shop["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "mizzen.dev/p").unwrap();
    assert_eq!(
        (&own["status"], &own["reason"], &own["observedGeneration"]),
        (&json!("False"), &json!("Retrying"), &json!(2))
    );
    assert!(own["lastTransitionTime"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_restart_keeps_the_status_fields_from_before_it() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let returning = |result: Result<Outcome, Failure>| plugin("p").returns(move |_| result.clone()).0;
    let good = Outcome { status: Some(json!({"url": "http://x"})), ..Outcome::new(Readiness::Ready) };
    Stage::on(&memory, vec![returning(Ok(good))]).await.engine.stop().await;
    let stage = Stage::on(&memory, vec![returning(Err(Failure::Retry("broken".into())))]).await;
    assert_eq!(stage.memory.find(&shop_ref("x")).unwrap()["status"]["url"], "http://x");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Retrying");
}

#[tokio::test(start_paused = true)]
async fn objects_in_the_subjects_namespace_have_an_owner_reference_and_others_are_deleted_by_the_host() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let (node, _) =
        plugin("p").returns(|_| Ok(desires(vec![a_map("a", "near", json!({})), a_map("b", "far", json!({}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let near = stage.memory.find(&map_ref("a", "near")).unwrap();
    assert_eq!(near["metadata"]["ownerReferences"][0]["name"], "x");
    let far = stage.memory.find(&map_ref("b", "far")).unwrap();
    assert!(far["metadata"].get("ownerReferences").is_none());
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(stage.memory.find(&shop_ref("x")), None);
    assert_eq!((stage.memory.find(&map_ref("a", "near")), stage.memory.find(&map_ref("b", "far"))), (None, None));
}

#[tokio::test(start_paused = true)]
async fn objects_of_a_finalizing_reconciler_are_not_garbage_collected_with_their_subject() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let builder = plugin("p").finalizes();
    let (node, _) = builder.returns(|_| Ok(desires(vec![a_map("a", "near", json!({}))])));
    let stage = Stage::on(&memory, vec![node]).await;
    let near = stage.memory.find(&map_ref("a", "near")).unwrap();
    assert!(near["metadata"].get("ownerReferences").is_none(), "{near}");

    // Replaced by a plugin that does not finalize.
    let (node, _) =
        plugin("p").version(2).with(|own, _| own.needs.clear()).returns(|_| Ok(Outcome::new(Readiness::Ready)));
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    stage.memory.remove(&shop_ref("x"));
    stage.engine.settled().await;
    assert_eq!(stage.memory.find(&shop_ref("x")), None);
    assert!(stage.memory.find(&map_ref("a", "near")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_a_status_subresource_gets_none() {
    let memory = memory();
    put(&memory, &a_map("a", "subject", json!({})));
    let about_maps = plugin("p").subject_kind(config_map());
    let (node, calls) = about_maps.returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), stage.writes()), (1, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_patch_sets_its_fields_once_and_leaves_the_rest() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_service("s", "x", "ClusterIP"));
    let patching = plugin("p").with(|description, reconciler| {
        let need = mizzen_model::Need { kind: service(), access: mizzen_model::Access::Patch, why: String::new() };
        description.needs.push(need);
        reconciler.grants.patch = reconciler.grants.read.clone();
    });
    let patch = mizzen_model::Patch {
        object: mizzen_model::ObjectRef::new(service(), Some("a"), "s"),
        fragment: json!({"metadata": {"annotations": {"restarted": "for-hash-1"}}}),
        pace: None,
        reason: "the proxies changed".into(),
    };
    let node = || patching_node(patching.clone(), patch.clone());
    let stage = Stage::on(&memory, vec![node()]).await;
    let service = stage.memory.find(&patch.object).unwrap();
    assert_eq!(service["metadata"]["annotations"]["restarted"], "for-hash-1");
    assert_eq!(
        (&service["spec"]["type"], service["metadata"]["labels"].get("mizzen.dev/owner")),
        (&json!("ClusterIP"), None)
    );
    stage.engine.stop().await;
    memory.take_writes();
    assert_eq!(Stage::on(&memory, vec![node()]).await.writes(), [], "a patch that is in effect is not applied again");
}

#[tokio::test(start_paused = true)]
async fn a_null_in_a_patch_removes_the_field_that_was_set_and_no_other_managers_field() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let mut theirs = a_service("s", "x", "ClusterIP");
    theirs["metadata"]["annotations"] = json!({"theirs": "stays"});
    put(&memory, &theirs);
    let patching = plugin("p").with(|description, reconciler| {
        let need = mizzen_model::Need { kind: service(), access: mizzen_model::Access::Patch, why: String::new() };
        description.needs.push(need);
        reconciler.grants.patch = reconciler.grants.read.clone();
    });
    let object = mizzen_model::ObjectRef::new(service(), Some("a"), "s");
    let patch = |value: serde_json::Value| mizzen_model::Patch {
        object: object.clone(),
        fragment: json!({"metadata": {"annotations": {"ours": value, "theirs": null}}}),
        pace: None,
        reason: String::new(),
    };
    let annotations = || memory.find(&object).unwrap()["metadata"]["annotations"].clone();
    let mut setting = patch(json!("set"));
    setting.fragment["metadata"]["annotations"].as_object_mut().unwrap().remove("theirs");
    let stage = Stage::on(&memory, vec![patching_node(patching.clone(), setting)]).await;
    assert_eq!(annotations(), json!({"ours": "set", "theirs": "stays"}));
    stage.engine.stop().await;
    let stage = Stage::on(&memory, vec![patching_node(patching, patch(json!(null)))]).await;
    assert_eq!(annotations(), json!({"theirs": "stays"}));
    memory.take_writes();
    stage.engine.settled().await;
    assert_eq!(stage.writes(), [], "a field of another field manager does not lead to a write");
}

fn patching_node(builder: crate::support::PluginBuilder, patch: mizzen_model::Patch) -> mizzen_engine::NodeSpec {
    builder.returns(move |_| Ok(Outcome { patches: vec![patch.clone()], ..Outcome::new(Readiness::Ready) })).0
}

#[tokio::test(start_paused = true)]
async fn a_patch_never_creates() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let patching = plugin("p").with(|description, reconciler| {
        description.needs.push(mizzen_model::Need {
            kind: service(),
            access: mizzen_model::Access::Patch,
            why: String::new(),
        });
        reconciler.grants.patch = reconciler.grants.read.clone();
    });
    let object = mizzen_model::ObjectRef::new(service(), Some("a"), "absent");
    let patch = mizzen_model::Patch {
        object: object.clone(),
        fragment: json!({"spec": {}}),
        pace: None,
        reason: String::new(),
    };
    let stage = Stage::on(&memory, vec![patching_node(patching, patch)]).await;
    assert_eq!((stage.memory.find(&object), stage.condition("mizzen.dev/p").1), (None, "NotFound".into()));
}
