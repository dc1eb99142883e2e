//! The status of subjects, and what else is done to them: what is granted with them, and what has to be named.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mizzen_config::Reconciler;
use mizzen_engine::NodeSpec;
use mizzen_model::{Condition, Description, Event, Fields, Kind, ObjectRef, Outcome, Readiness, Severity};
use serde_json::{Value, json};

use crate::support::{Stage, a_map, a_service, a_shop, desires, memory, plugin, put, service, shop_ref};

fn service_ref() -> ObjectRef {
    ObjectRef::new(service(), Some("a"), "s")
}

/// A cluster with Service a/s, and a reconciler whose subjects are Services.
async fn on_a_service(
    grants: impl FnOnce(&mut Description, &mut Reconciler),
    outcome: fn() -> Outcome,
) -> (Stage, Value, Option<String>) {
    let memory = memory();
    put(&memory, &a_service("s", "x", "ClusterIP"));
    let (node, _) = plugin("p").subject_kind(service()).with(grants).returns(move |_| Ok(outcome()));
    let stage = Stage::on(&memory, vec![node]).await;
    let service = memory.find(&service_ref()).unwrap();
    let error = stage.engine.snapshots().now().await.unwrap().nodes.remove(0).last_error;
    (stage, service, error)
}

fn with_status() -> Outcome {
    Outcome {
        status: Some(json!({"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}})),
        ..Outcome::new(Readiness::Ready)
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_built_in_kind_is_written_only_if_that_is_granted() {
    let (stage, service, error) = on_a_service(|_, _| {}, || Outcome::new(Readiness::Ready)).await;
    assert!(service["status"].is_null() && error.is_none() && stage.writes().is_empty(), "{service:#} {error:?}");
    let (stage, service, error) = on_a_service(|_, _| {}, with_status).await;
    assert!(service["status"].is_null() && stage.writes().is_empty(), "{service:#}");
    assert!(error.unwrap().contains("status of v1 Service, which is not granted: add `status: true`"));
    let (_, service, error) = on_a_service(|_, own| own.grants.status = Some(true), with_status).await;
    assert_eq!((&service["status"]["loadBalancer"]["ingress"][0]["ip"], error), (&json!("1.2.3.4"), None));
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_denied_for_a_custom_resource_is_not_written() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let making = plugin("p").with(|_, reconciler| reconciler.grants.status = Some(false));
    let stage = Stage::on(&memory, vec![making.returns(|_| Ok(Outcome::new(Readiness::Ready))).0]).await;
    assert!(memory.find(&shop_ref("x")).unwrap()["status"].is_null() && stage.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_built_in_kind_gets_a_finalizer_only_if_that_is_granted() {
    let elsewhere = || desires(vec![a_map("b", "far", json!({}))]);
    let (_, service, error) = on_a_service(|_, _| {}, elsewhere).await;
    assert!(service["metadata"]["finalizers"].is_null());
    let error = error.unwrap();
    assert!(error.contains("ConfigMap b/far") && error.contains("add `finalizer: true`"), "{error}");
    let (_, service, _) = on_a_service(|_, own| own.grants.finalizer = Some(true), elsewhere).await;
    assert_eq!(service["metadata"]["finalizers"], json!(["mizzen.dev/p"]));
    // Objects in its own namespace go with it, and need none.
    let (_, service, error) = on_a_service(|_, _| {}, || desires(vec![a_map("a", "near", json!({}))])).await;
    assert!(service["metadata"]["finalizers"].is_null() && error.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_finalizes_does_nothing_without_a_grant_of_the_finalizer() {
    let finalizes = |description: &mut Description, _: &mut Reconciler| description.finalizes = true;
    let (stage, service, error) = on_a_service(finalizes, || desires(vec![a_map("a", "near", json!({}))])).await;
    assert!(service["metadata"]["finalizers"].is_null() && stage.writes().is_empty());
    assert!(error.unwrap().contains("`p` finalizes"));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_is_given_only_the_fields_of_its_subject_that_are_granted() {
    let memory = memory();
    let mut shop = a_shop("x", json!({"open": true, "password": "secret"}));
    shop["metadata"]["annotations"] = json!({"note": "n"});
    put(&memory, &shop);
    let given = Arc::new(Mutex::new(Value::Null));
    let seen = Arc::clone(&given);
    let making = plugin("p").with(|_, reconciler| {
        reconciler.subject.fields = Fields::parse(["spec.open"]).unwrap();
    });
    let (node, _): (NodeSpec, _) = making.returns(move |subject| {
        subject.clone_into(&mut seen.lock().unwrap());
        Ok(Outcome::new(Readiness::Ready))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
    let given = given.lock().unwrap().clone();
    assert_eq!(given["spec"], json!({"open": true}));
    assert_eq!((&given["metadata"]["name"], &given["metadata"]["annotations"]), (&json!("x"), &Value::Null));
}

/// A reconciler that returns these conditions.
fn stating(conditions: Vec<Condition>) -> NodeSpec {
    plugin("p").returns(move |_| Ok(Outcome { conditions: conditions.clone(), ..Outcome::new(Readiness::Ready) })).0
}

fn condition(kind: &str) -> Condition {
    Condition { kind: kind.into(), status: Some(true), reason: "Ready".into(), message: String::new() }
}

#[tokio::test(start_paused = true)]
async fn a_condition_of_another_reconciler_is_refused() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![stating(vec![condition("mizzen.dev/other")])]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "InvalidOutcome");
    assert!(message.contains("`mizzen.dev/other`"), "{message}");
}

fn closed() -> Outcome {
    Outcome { status: Some(json!({"phase": "Closed"})), ..Outcome::new(Readiness::Ready) }
}

#[tokio::test(start_paused = true)]
async fn a_status_takes_no_fields_from_other_field_managers() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    memory.edit("shop-controller", &shop_ref("x"), |shop| shop["status"]["phase"] = json!("Open")).unwrap();
    let stage = Stage::on(&memory, vec![plugin("p").returns(|_| Ok(closed())).0]).await;
    assert_eq!(memory.find(&shop_ref("x")).unwrap()["status"]["phase"], "Open");
    let (status, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((&*status, &*reason), ("False", "Conflict"));
    assert!(message.contains("`.status.phase` is owned by `shop-controller`"), "{message}");
    stage.writes();
    stage.after(Duration::from_mins(30)).await;
    assert_eq!(stage.writes(), [], "the conflict is reported once");
    // The other manager gives the field up.
    let give_up = |shop: &mut Value| drop(shop["status"].as_object_mut().unwrap().remove("phase"));
    memory.edit("shop-controller", &shop_ref("x"), give_up).unwrap();
    stage.after(Duration::from_mins(30)).await;
    assert_eq!(memory.find(&shop_ref("x")).unwrap()["status"]["phase"], "Closed");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn a_condition_that_another_field_manager_wrote_is_not_overwritten() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let theirs = json!([{"type": "Open", "status": "False", "reason": "Night", "message": ""}]);
    memory.edit("shop-controller", &shop_ref("x"), |shop| shop["status"]["conditions"] = theirs.clone()).unwrap();
    let stage = Stage::on(&memory, vec![stating(vec![condition("Open")])]).await;
    assert_eq!(stage.condition("Open").1, "Night");
    assert_eq!(stage.condition("mizzen.dev/p").1, "Conflict");
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_a_reconcilers_own_condition_is_repaired() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let stage = Stage::on(&memory, vec![stating(Vec::new())]).await;
    let edit = |shop: &mut Value| shop["status"]["conditions"][0]["reason"] = json!("Edited");
    memory.edit("user", &shop_ref("x"), edit).unwrap();
    stage.engine.settled().await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn a_status_has_at_most_256_kib() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let outcome = || Outcome { status: Some(json!({"a": "x".repeat(256 << 10)})), ..Outcome::new(Readiness::Ready) };
    let stage = Stage::on(&memory, vec![plugin("p").returns(move |_| Ok(outcome())).0]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "InvalidOutcome");
    assert!(message.contains("at most 256 KiB"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_about_the_subject_or_about_something_that_is_granted() {
    for (regarding, reason) in [
        (shop_ref("x"), "Ready"),
        (service_ref(), "Ready"),
        (ObjectRef::new(Kind::new("apps/v1", "Deployment"), Some("kube-system"), "dns"), "Denied"),
    ] {
        let memory = memory();
        put(&memory, &a_shop("x", json!({})));
        let event = Event {
            regarding: Some(regarding),
            severity: Severity::Normal,
            reason: "Looked".into(),
            message: "looked at it".into(),
        };
        let outcome = Outcome { events: vec![event], ..Outcome::new(Readiness::Ready) };
        let stage = Stage::on(&memory, vec![plugin("p").returns(move |_| Ok(outcome.clone())).0]).await;
        assert_eq!(stage.condition("mizzen.dev/p").1, reason);
        assert_eq!(
            memory.events().iter().filter(|event| event.reason == "Looked").count(),
            usize::from(reason == "Ready")
        );
    }
}
