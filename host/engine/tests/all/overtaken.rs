//! What somebody changes while a plugin is about to decide over it is the next answer's to judge: never overwritten unseen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Stage, a_map, a_shop, count, map_ref, memory, plugin, put, wants};
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

/// A plugin that reads the map it applies, and says nothing of a policy there that is somebody else's by now.
fn yielding(after_reading: impl Fn() + Clone + Send + Sync + 'static) -> (NodeSpec, Arc<AtomicUsize>) {
    plugin("p").reads_maps().asks(move |shop, reads: Arc<dyn Reads>| {
        let after_reading = after_reading.clone();
        async move {
            let there = reads.get(&map_ref("a", "m"), None).await.unwrap();
            after_reading();
            let theirs = there.is_some_and(|there| there.value()["data"]["policy"] == "theirs");
            let own = shop["spec"]["own"].clone();
            let data = if theirs { json!({"own": own}) } else { json!({"own": own, "policy": "ours"}) };
            Ok(Ok(wants(vec![a_map("a", "m", data)])))
        }
    })
}

fn choose_theirs(memory: &Memory) {
    memory.edit("somebody", &map_ref("a", "m"), |map| map["data"]["policy"] = json!("theirs")).unwrap();
}

/// What the policy was, one after another.
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

/// What the subject's status said of the reconciler, one after another.
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
async fn a_change_that_comes_after_the_plugin_has_read_is_judged_by_its_next_answer() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"own": "1"})));
    let (cluster, asked) = (memory.clone(), Arc::new(AtomicUsize::new(0)));
    let (node, calls) = yielding(move || {
        // Not in the first call, which finds nothing, nor in the one about its own write.
        if asked.fetch_add(1, Ordering::SeqCst) == 2 {
            choose_theirs(&cluster);
        }
    });
    let mut changes = memory.subscribe();
    let stage = Stage::on(&memory, vec![node]).await;
    assert_eq!((count(&calls), stage.data("m").unwrap()["policy"].clone()), (2, json!("ours")));
    stage.put(&a_shop("x", json!({"own": "2"}))).await;
    assert_eq!(stage.data("m").unwrap(), json!({"own": "2", "policy": "theirs"}));
    assert_eq!(policies(&mut changes), ["ours", "theirs"], "it was never taken back");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_host_has_not_heard_of_yet_is_not_overwritten_either() {
    let memory = memory();
    let (mut changes, mut told) = (memory.subscribe(), memory.subscribe());
    let (cluster, engine) = interrupted(&memory).await;
    cluster.before_apply.lock().unwrap().push(Box::new(choose_theirs));
    put(&memory, &a_shop("x", json!({"own": "2"})));
    engine.settled().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.settled().await;
    let map = memory.find(&map_ref("a", "m")).unwrap();
    assert_eq!(map["data"], json!({"own": "2", "policy": "theirs"}));
    assert_eq!(policies(&mut changes), ["ours", "theirs"], "it was never taken back");
    assert!(cluster.before_apply.lock().unwrap().is_empty());
    let reasons = reasons(&mut told);
    assert!(
        !reasons.is_empty() && reasons.iter().all(|reason| reason == "Ready"),
        "nobody hears of a race: {reasons:?}"
    );
    assert!(memory.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_overtaken_again_and_again_is_reported() {
    let memory = memory();
    let (cluster, engine) = interrupted(&memory).await;
    let mut told = memory.subscribe();
    for note in ["a", "b"] {
        cluster.before_apply.lock().unwrap().push(Box::new(move |memory| {
            memory.edit("somebody", &map_ref("a", "m"), |map| map["data"]["note"] = json!(note)).unwrap();
        }));
    }
    put(&memory, &a_shop("x", json!({"own": "2"})));
    tokio::time::sleep(Duration::from_secs(5)).await;
    engine.settled().await;
    assert_eq!(memory.find(&map_ref("a", "m")).unwrap()["data"]["own"], "2");
    assert_eq!(reasons(&mut told), ["Stale", "Ready"]);
}

/// An engine that came to rest over a subject, before anything happens in between.
async fn interrupted(memory: &Memory) -> (Arc<Interrupted>, Engine) {
    put(memory, &a_shop("x", json!({"own": "1"})));
    let cluster = Arc::new(Interrupted { cluster: memory.clone(), before_apply: Mutex::default() });
    let engine = Engine::start(cluster.clone(), Arc::new(Log), Concurrency::default());
    engine.configure(vec![yielding(|| {}).0]);
    engine.settled().await;
    (cluster, engine)
}

type Happening = Box<dyn FnOnce(&Memory) + Send>;

/// A cluster in which something happens on the way from the host to the API server.
struct Interrupted {
    cluster: Memory,
    /// One for each apply of a map.
    before_apply: Mutex<Vec<Happening>>,
}

#[async_trait]
impl Cluster for Interrupted {
    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        if apply.document["kind"] == "ConfigMap"
            && let Some(happen) = self.before_apply.lock().unwrap().pop()
        {
            happen(&self.cluster);
        }
        self.cluster.apply(apply).await
    }

    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.cluster.facts(kind).await
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
    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError> {
        self.cluster.delete(object, uid).await
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
