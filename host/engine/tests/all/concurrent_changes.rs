//! A change by another field manager between a call's reads and its writes is never overwritten unseen: the plugin is
//! called again, and its next outcome decides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Stage, a_map, a_shop, count, desires, map_ref, memory, plugin, put};
use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_cluster::{
    Apply, Change, Changes, Cluster, EventRecord, Found, KindFacts, ObjectWatch, ReadError, Scope, Selection, View,
    WriteError,
};
use mizzen_engine::observe::Log;
use mizzen_engine::{Concurrency, Engine, NodeSpec};
use mizzen_model::{Kind, Object, ObjectRef, Reads};
use serde_json::{Value, json};

/// A plugin that reads the map it applies, and leaves the policy out once another field manager has set it.
fn yielding(after_reading: impl Fn() + Clone + Send + Sync + 'static) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin("p").reads_maps().reconciles(move |shop, reads: Arc<dyn Reads>| {
        let after_reading = after_reading.clone();
        async move {
            let there = reads.get(&map_ref("a", "m"), None).await.unwrap();
            after_reading();
            let theirs = there.is_some_and(|there| there.value()["data"]["policy"] == "theirs");
            let own = shop["spec"]["own"].clone();
            let data = if theirs { json!({"own": own}) } else { json!({"own": own, "policy": "ours"}) };
            Ok(Ok(desires(vec![a_map("a", "m", data)])))
        }
    })
}

fn choose_theirs(memory: &Memory) {
    memory.edit("other-manager", &map_ref("a", "m"), |map| map["data"]["policy"] = json!("theirs")).unwrap();
}

/// The values of the policy, in order.
fn policies(changes: &mut Changes) -> Vec<Value> {
    let mut policies = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Object { scope: Scope::Owned, after: Some(after), .. } = change
            && after.reference == map_ref("a", "m")
        {
            policies.push(after.value()["data"]["policy"].clone());
        }
    }
    policies.dedup();
    policies
}

/// The reasons of the reconciler's condition on the subject, in order.
fn reasons(changes: &mut Changes) -> Vec<Value> {
    let mut reasons = Vec::new();
    while let Ok(change) = changes.try_recv() {
        if let Change::Object { scope: Scope::All, after: Some(after), .. } = change
            && let Some(condition) = after.value()["status"]["conditions"].get(0)
        {
            reasons.push(condition["reason"].clone());
        }
    }
    reasons.dedup();
    reasons
}

#[tokio::test(start_paused = true)]
async fn a_change_made_after_the_plugin_has_read_is_left_to_its_next_call() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"own": "1"})));
    let (cluster, reads) = (memory.clone(), Arc::new(AtomicUsize::new(0)));
    let (node, calls) = yielding(move || {
        // In the third call: the first finds nothing, and the second is for the host's own write.
        if reads.fetch_add(1, Ordering::SeqCst) == 2 {
            choose_theirs(&cluster);
        }
    });
    let mut changes = memory.subscribe();
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), stage.data("m").unwrap()["policy"].clone()), (2, json!("ours")));
    stage.put(&a_shop("x", json!({"own": "2"}))).await;
    assert_eq!(stage.data("m").unwrap(), json!({"own": "2", "policy": "theirs"}));
    assert_eq!(policies(&mut changes), ["ours", "theirs"], "it was never overwritten");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_host_has_not_seen_yet_is_not_overwritten_either() {
    let memory = memory();
    let (mut changes, mut statuses) = (memory.subscribe(), memory.subscribe());
    let (cluster, engine) = interrupted(&memory).await;
    cluster.before_apply.lock().unwrap().push(Box::new(choose_theirs));
    put(&memory, &a_shop("x", json!({"own": "2"})));
    engine.settled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.settled().await;
    let map = memory.find(&map_ref("a", "m")).unwrap();
    assert_eq!(map["data"], json!({"own": "2", "policy": "theirs"}));
    assert_eq!(policies(&mut changes), ["ours", "theirs"], "it was never overwritten");
    assert!(cluster.before_apply.lock().unwrap().is_empty());
    let reasons = reasons(&mut statuses);
    assert!(
        !reasons.is_empty() && reasons.iter().all(|reason| reason == "Ready"),
        "a race that a second call resolves is not reported: {reasons:?}"
    );
    assert!(memory.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn repeated_concurrent_changes_are_reported_as_stale() {
    let memory = memory();
    let (cluster, engine) = interrupted(&memory).await;
    let mut statuses = memory.subscribe();
    for note in ["a", "b"] {
        cluster.before_apply.lock().unwrap().push(Box::new(move |memory| {
            memory.edit("other-manager", &map_ref("a", "m"), |map| map["data"]["note"] = json!(note)).unwrap();
        }));
    }
    put(&memory, &a_shop("x", json!({"own": "2"})));
    tokio::time::sleep(Duration::from_secs(5)).await;
    engine.settled().await;
    assert_eq!(memory.find(&map_ref("a", "m")).unwrap()["data"]["own"], "2");
    assert_eq!(reasons(&mut statuses), ["Stale", "Ready"]);
}

/// An engine that has settled with one subject, before any interruption.
async fn interrupted(memory: &Memory) -> (Arc<Interrupted>, Engine) {
    put(memory, &a_shop("x", json!({"own": "1"})));
    let cluster = Arc::new(Interrupted { cluster: memory.clone(), before_apply: Mutex::default() });
    let engine = Engine::start(cluster.clone(), Arc::new(Log), Concurrency::default());
    engine.configure(vec![yielding(|| {}).0]);
    engine.settled().await;
    (cluster, engine)
}

type Interruption = Box<dyn FnOnce(&Memory) + Send>;

/// A cluster that another party changes between a request of the host and its arrival.
struct Interrupted {
    cluster: Memory,
    /// Each runs before one apply of a map, the last first.
    before_apply: Mutex<Vec<Interruption>>,
}

#[async_trait]
impl Cluster for Interrupted {
    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        if apply.document["kind"] == "ConfigMap"
            && let Some(interrupt) = self.before_apply.lock().unwrap().pop()
        {
            interrupt(&self.cluster);
        }
        self.cluster.apply(apply).await
    }

    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.cluster.facts(kind).await
    }
    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        self.cluster.served_as(kind).await
    }
    async fn watch(&self, view: View) -> Result<(), ReadError> {
        self.cluster.watch(view).await
    }
    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.cluster.get(scope, object)
    }
    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.cluster.list(scope, kind, selection)
    }
    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        self.cluster.lookup(object).await
    }
    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        self.cluster.watch_object(object)
    }
    fn subscribe(&self) -> Changes {
        self.cluster.subscribe()
    }
    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        self.cluster.delete(object, uid, version).await
    }
    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, name: &str) -> Result<(), WriteError> {
        self.cluster.add_finalizer(object, uid, name).await
    }
    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, name: &str) -> Result<(), WriteError> {
        self.cluster.remove_finalizer(object, uid, name).await
    }
    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        self.cluster.publish(event).await
    }
}
