//! Which changes enqueue which keys, and when a plugin is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{CRDS, Stage, a_service, a_shop, count, lister, memory, plugin, put, shop, shop_ref, switch};
use mizzen_cluster::memory::Memory;
use mizzen_config::{Grant, Reconciler};
use mizzen_engine::observe::{Observer, Reconciled};
use mizzen_engine::{Concurrency, Engine, NodeSpec};
use mizzen_model::{
    Access, Description, Failure, FieldSet, Fields, LoadError, Need, Outcome, Query, Readiness, Selector, TextTest,
    Values,
};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn a_change_of_an_object_enqueues_its_readers_only() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_shop("y", json!({})));
    let (node, calls) = lister("lister");
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(count(&calls), 2);
    stage.put(&a_service("s", "x", "ClusterIP")).await;
    assert_eq!(count(&calls), 3);
    assert_eq!(stage.data("x").unwrap()["types"], "[\"ClusterIP\"]");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_a_field_that_was_not_read_calls_no_plugin() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    put(&memory, &a_service("s", "x", "ClusterIP"));
    let (node, calls) = lister("lister");
    let stage = Stage::on(&memory, vec![node]).await;
    let mut service = a_service("s", "x", "ClusterIP");
    service["spec"]["sessionAffinity"] = json!("ClientIP");
    stage.put(&service).await;
    assert_eq!(count(&calls), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_status_alone_calls_no_plugin() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"a": 1})));
    let (node, calls) = lister("lister");
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.edit("other-manager", &shop_ref("x"), |shop| shop["status"]["note"] = json!("seen")).unwrap();
    stage.engine.settled().await;
    assert_eq!(count(&calls), 1);
    stage.put(&a_shop("x", json!({"a": 2}))).await;
    assert_eq!(count(&calls), 2);
}

/// Counts reconciles.
#[derive(Default)]
struct Reconciles(AtomicUsize);

impl Observer for Reconciles {
    fn reconciled(&self, _: &Reconciled<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_without_a_subresource_is_not_reconciled_again_for_its_new_generation() {
    let memory = Memory::from_yaml(&CRDS.replace("subresources: {status: {}}", "storage: true")).unwrap();
    put(&memory, &a_shop("x", json!({})));
    let (reads_services, _) = lister("lister");
    let seen = Arc::new(Reconciles::default());
    let engine = Engine::start(Arc::new(memory.clone()), seen.clone(), Concurrency::default());
    engine.configure(vec![reads_services]);
    engine.settled().await;
    let generation = || memory.find(&shop_ref("x")).unwrap()["metadata"]["generation"].as_i64();
    assert_eq!((seen.0.load(Ordering::SeqCst), generation()), (1, Some(2)));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_configuration_enqueues_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let seen = Arc::new(Reconciles::default());
    let engine = Engine::start(Arc::new(memory.clone()), seen.clone(), Concurrency::default());
    let two = plugin("two").returns(|_| Ok(Outcome::new(Readiness::Ready))).0;
    let (unloaded, _) = plugin("three").returns(|_| Ok(Outcome::new(Readiness::Ready)));
    let nodes = vec![lister("one").0, NodeSpec { invoke: Err(LoadError::new("no component")), ..unloaded }, two];
    engine.configure(nodes.clone());
    engine.settled().await;
    let before = seen.0.load(Ordering::SeqCst);
    engine.configure(nodes.clone());
    engine.settled().await;
    assert_eq!(seen.0.load(Ordering::SeqCst), before);
    engine.configure(nodes[..1].to_vec());
    engine.settled().await;
    assert_eq!(
        seen.0.load(Ordering::SeqCst),
        before + 1,
        "the removed reconcilers may have gated the one that is left"
    );
}

/// A plugin that counts the Services whose type overlaps with its shop's path, and applies a map with the number.
fn overlapping(path: &'static str, set: Option<&'static str>) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin("overlapping").reconciles(move |shop, reads| async move {
        let (name, own) = (shop["metadata"]["name"].as_str().unwrap(), shop["spec"]["path"].as_str().unwrap());
        let tests = [TextTest::PrefixOf(own.into()), TextTest::StartsWith(own.into())];
        let query = Query {
            kind: crate::support::service(),
            namespace: None,
            labels: Selector::everything(),
            namespace_labels: Selector::everything(),
            values: Some(Values::parse(tests.map(|test| (path, test))).unwrap()),
            fields: set.map(Into::into),
        };
        Ok(match reads.count(&query).await {
            Ok(found) => {
                Ok(crate::support::desires(vec![crate::support::a_map("a", name, json!({"found": found.to_string()}))]))
            }
            Err(error) => Err(Failure::Invalid(error.to_string())),
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_change_enqueues_only_the_readers_of_its_old_or_new_value() {
    let memory = memory();
    for at in 0..200 {
        put(&memory, &a_shop(&format!("s{at}"), json!({"path": format!("/{at}/cart")})));
    }
    let (node, calls) = overlapping("spec.type", Some("type"));
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), stage.data("s7").unwrap()["found"].clone()), (200, json!("0")));
    stage.put(&a_service("s", "x", "/7/cart/till")).await;
    assert_eq!((count(&calls), stage.data("s7").unwrap()["found"].clone()), (201, json!("1")));
    stage.put(&a_service("s", "x", "/8/")).await;
    assert_eq!((count(&calls), stage.data("s7").unwrap()["found"].clone()), (203, json!("0")));
    assert_eq!(stage.data("s8").unwrap()["found"], "1");
    stage.put(&a_service("s", "x", "elsewhere")).await;
    assert_eq!(count(&calls), 204);
    stage.put(&a_service("s", "x", "/")).await;
    assert_eq!(
        (count(&calls), stage.data("s199").unwrap()["found"].clone()),
        (404, json!("1")),
        "it overlaps with every path"
    );
}

#[tokio::test(start_paused = true)]
async fn a_query_by_value_needs_a_field_of_its_field_set() {
    for (path, set, why) in [
        ("spec.clusterIP", Some("type"), "`spec.clusterIP`, which field set `type` does not have"),
        ("spec.type", None, "name one"),
    ] {
        let memory = memory();
        put(&memory, &a_shop("x", json!({"path": "/"})));
        let stage = Stage::on(&memory, vec![overlapping(path, set).0]).await;
        let (status, _, message) = stage.condition("mizzen.dev/overlapping");
        assert!(status == "False" && message.contains(why), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_between_a_call_and_its_report_triggers_another_call() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let sets = |description: &mut Description, reconciler: &mut Reconciler| {
        let fields = Fields::parse(["status.note"]).unwrap();
        description.field_sets.insert("note".into(), FieldSet { kind: shop(), fields });
        description.needs.push(Need { kind: shop(), access: Access::Read, why: String::new() });
        reconciler.grants.read.push(Grant::everywhere(shop()));
    };
    let meanwhile = memory.clone();
    // The plugin reports the note in its shop's status. Another field manager sets the note after the first read.
    let (node, calls) = plugin("p").with(sets).reconciles(move |_, reads| {
        let meanwhile = meanwhile.clone();
        async move {
            let note =
                reads.get(&shop_ref("x"), Some("note")).await.unwrap().unwrap().value()["status"]["note"].clone();
            if note.is_null() {
                meanwhile.edit("other-manager", &shop_ref("x"), |shop| shop["status"]["note"] = json!("seen")).unwrap();
            }
            Ok(Ok(Outcome::new(Readiness::Warning(note.to_string()))))
        }
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(stage.condition("mizzen.dev/p").2, "\"seen\"");
    assert_eq!(count(&calls), 2);
}

#[tokio::test(start_paused = true)]
async fn a_restart_on_a_converged_cluster_writes_nothing() {
    let memory = memory();
    for at in 0..20 {
        put(&memory, &a_shop(&format!("s{at}"), json!({})));
    }
    let first = Stage::on(&memory, vec![lister("lister").0]).await;
    assert!(!first.writes().is_empty());
    first.engine.stop().await;
    let (node, calls) = lister("lister");
    let second = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), second.writes()), (20, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_new_revision_is_called_for_every_subject_and_the_old_one_for_none() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let at_version = |version: u32| {
        plugin("p").version(version).returns(move |_| {
            Ok(crate::support::desires(vec![crate::support::a_map("a", "m", json!({"v": version.to_string()}))]))
        })
    };
    let ((old, old_calls), (new, new_calls)) = (at_version(1), at_version(2));
    let stage = Stage::on(&memory, vec![old]).await;
    stage.engine.configure(vec![new]);
    stage.engine.settled().await;
    assert_eq!((count(&old_calls), count(&new_calls)), (1, 1));
    assert_eq!(stage.data("m").unwrap(), json!({"v": "2"}));
}

#[tokio::test(start_paused = true)]
async fn temporary_failures_are_retried_with_a_growing_backoff() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let failures = switch(3);
    let left = Arc::clone(&failures);
    let (node, calls) = plugin("p").returns(move |_| {
        let mut left = left.lock().unwrap();
        if *left == 0 {
            return Ok(Outcome::new(Readiness::Ready));
        }
        *left -= 1;
        Err(Failure::Retry("not yet".into()))
    });
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Retrying");
    let started = tokio::time::Instant::now();
    while stage.condition("mizzen.dev/p").1 != "Ready" {
        tokio::time::advance(std::time::Duration::from_millis(10)).await;
        stage.engine.settled().await;
    }
    assert_eq!(count(&calls), 4);
    let took = started.elapsed().as_millis();
    assert!((1_000..3_000).contains(&took), "{took} ms for 200 + 400 + 800 ms and a spread of a quarter");
}

#[tokio::test(start_paused = true)]
async fn an_invalid_subject_is_not_reconciled_again_until_it_changes() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"size": -1})));
    let (node, calls) = plugin("p").returns(|shop| match shop["spec"]["size"].as_i64() {
        Some(size) if size > 0 => Ok(Outcome::new(Readiness::Ready)),
        _ => Err(Failure::Invalid("spec.size must be positive".into())),
    });
    let stage = Stage::on(&memory, vec![node]).await;
    tokio::time::advance(std::time::Duration::from_hours(1)).await;
    stage.engine.settled().await;
    let (status, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!((count(&calls), &*status, &*reason), (1, "False", "Invalid"));
    assert!(message.contains("spec.size must be positive"), "{message}");
    stage.put(&a_shop("x", json!({"size": 1}))).await;
    assert_eq!(stage.condition("mizzen.dev/p").1, "Ready");
}

#[tokio::test(start_paused = true)]
async fn a_plugin_that_asks_for_a_requeue_is_called_again_after_that_time() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let hour = std::time::Duration::from_hours(1);
    let (node, calls) =
        plugin("p").returns(move |_| Ok(Outcome { requeue_after: Some(hour), ..Outcome::new(Readiness::Ready) }));
    let stage = Stage::on(&memory, vec![node]).await;
    tokio::time::advance(hour / 2).await;
    stage.engine.settled().await;
    assert_eq!(count(&calls), 1);
    tokio::time::advance(hour).await;
    stage.engine.settled().await;
    assert_eq!(count(&calls), 2);
}
