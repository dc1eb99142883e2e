//! Who is asked when, and who is not.

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
async fn a_change_of_what_was_read_wakes_its_reader_and_nobody_else() {
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
async fn a_change_of_a_field_that_was_not_read_calls_nothing() {
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
async fn a_subject_whose_wish_is_the_same_is_not_asked_about_again() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"a": 1})));
    let (node, calls) = lister("lister");
    let stage = Stage::on(&memory, vec![node]).await;
    stage.memory.edit("somebody", &shop_ref("x"), |shop| shop["status"]["note"] = json!("seen")).unwrap();
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
async fn a_status_that_is_no_subresource_and_so_a_new_generation_needs_no_second_look() {
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
async fn a_configuration_that_is_read_again_and_is_the_same_wakes_nobody() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let seen = Arc::new(Reconciles::default());
    let engine = Engine::start(Arc::new(memory.clone()), seen.clone(), Concurrency::default());
    let two = plugin("two").answers(|_| Ok(Outcome::new(Readiness::Ready))).0;
    let (unloaded, _) = plugin("three").answers(|_| Ok(Outcome::new(Readiness::Ready)));
    let nodes = vec![lister("one").0, NodeSpec { invoke: Err(LoadError::new("no component")), ..unloaded }, two];
    engine.configure(nodes.clone());
    engine.settled().await;
    let before = seen.0.load(Ordering::SeqCst);
    engine.configure(nodes.clone());
    engine.settled().await;
    assert_eq!(seen.0.load(Ordering::SeqCst), before);
    engine.configure(nodes[..1].to_vec());
    engine.settled().await;
    assert_eq!(seen.0.load(Ordering::SeqCst), before + 1, "whoever is left may have waited for the other");
}

/// A plugin that reads the Services whose type overlaps with its shop's path, and writes down how many there are.
fn overlapping(path: &'static str, set: Option<&'static str>) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin("overlapping").asks(move |shop, reads| async move {
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
                Ok(crate::support::wants(vec![crate::support::a_map("a", name, json!({"found": found.to_string()}))]))
            }
            Err(error) => Err(Failure::Invalid(error.to_string())),
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_change_wakes_those_alone_who_asked_for_a_value_that_it_has_or_had() {
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
    assert_eq!((count(&calls), stage.data("s199").unwrap()["found"].clone()), (404, json!("1")), "which concerns all");
}

#[tokio::test(start_paused = true)]
async fn a_value_is_asked_for_in_the_fields_that_come_back_alone() {
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
async fn what_others_write_between_a_question_and_its_report_is_asked_about() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let sets = |description: &mut Description, reconciler: &mut Reconciler| {
        let fields = Fields::parse(["status.note"]).unwrap();
        description.field_sets.insert("note".into(), FieldSet { kind: shop(), fields });
        description.needs.push(Need { kind: shop(), access: Access::Read, why: String::new() });
        reconciler.grants.read.push(Grant { kind: shop(), namespaces: Vec::new(), force: false });
    };
    let meanwhile = memory.clone();
    // It says of the shop what others note in its status: and once it has looked, somebody notes something.
    let (node, calls) = plugin("p").with(sets).asks(move |_, reads| {
        let meanwhile = meanwhile.clone();
        async move {
            let note =
                reads.get(&shop_ref("x"), Some("note")).await.unwrap().unwrap().value()["status"]["note"].clone();
            if note.is_null() {
                meanwhile.edit("somebody", &shop_ref("x"), |shop| shop["status"]["note"] = json!("seen")).unwrap();
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
async fn a_new_revision_is_asked_about_everything_and_the_old_one_no_more() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let saying = |version: u32| {
        plugin("p").version(version).answers(move |_| {
            Ok(crate::support::wants(vec![crate::support::a_map("a", "m", json!({"v": version.to_string()}))]))
        })
    };
    let ((old, old_calls), (new, new_calls)) = (saying(1), saying(2));
    let stage = Stage::on(&memory, vec![old]).await;
    stage.engine.configure(vec![new]);
    stage.engine.settled().await;
    assert_eq!((count(&old_calls), count(&new_calls)), (1, 1));
    assert_eq!(stage.data("m").unwrap(), json!({"v": "2"}));
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_tried_again_with_growing_pauses() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let trouble = switch(3);
    let left = Arc::clone(&trouble);
    let (node, calls) = plugin("p").answers(move |_| {
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
async fn an_invalid_subject_is_not_asked_about_again_until_it_changes() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"size": -1})));
    let (node, calls) = plugin("p").answers(|shop| match shop["spec"]["size"].as_i64() {
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
async fn a_plugin_that_asks_to_be_asked_again_is() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({})));
    let hour = std::time::Duration::from_hours(1);
    let (node, calls) =
        plugin("p").answers(move |_| Ok(Outcome { requeue_after: Some(hour), ..Outcome::new(Readiness::Ready) }));
    let stage = Stage::on(&memory, vec![node]).await;
    tokio::time::advance(hour / 2).await;
    stage.engine.settled().await;
    assert_eq!(count(&calls), 1);
    tokio::time::advance(hour).await;
    stage.engine.settled().await;
    assert_eq!(count(&calls), 2);
}
