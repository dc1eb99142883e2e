use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mizzen_config::{Grant, Grants, Mode};
use mizzen_model::{Access, Call, CallError, Description, Failure, Kind, Need, Outcome, Reads, Request};
use serde_json::{Value, json};

use super::*;

/// Takes any bytes but `garbage` for a component.
#[derive(Default)]
struct Fake(AtomicUsize);

struct Plugin(Description, Digest);

#[async_trait]
impl Loader for Fake {
    async fn load(&self, bytes: Vec<u8>, _: Limits) -> Result<Arc<dyn Invoke>, String> {
        self.0.fetch_add(1, Ordering::Relaxed);
        if bytes == b"garbage" {
            return Err("not a component".into());
        }
        let pod = Kind::new("v1", "Pod");
        let description = Description {
            name: "fake".into(),
            version: "1".into(),
            summary: String::new(),
            subject: pod.clone(),
            config_schema: json!({"properties": {"mode": {"enum": ["A", "B"]}}, "additionalProperties": false}),
            needs: vec![Need { kind: pod, access: Access::Read, why: "to look".into() }],
            field_sets: BTreeMap::new(),
            credentials: Vec::new(),
            renderers: Vec::new(),
            finalizes: false,
        };
        Ok(Arc::new(Plugin(description, Digest::of(bytes))))
    }
}

#[async_trait]
impl Invoke for Plugin {
    fn description(&self) -> &Description {
        &self.0
    }
    fn digest(&self) -> Digest {
        self.1
    }
    async fn invoke(&self, _: Call, _: &Request, _: Arc<dyn Reads>) -> Result<Result<Outcome, Failure>, CallError> {
        Err(CallError::Host("never asked here".into()))
    }
}

fn configuration(config: Value, granted: bool) -> Configuration {
    let grant = Grant { kind: Kind::new("v1", "Pod"), namespaces: Vec::new(), force: false };
    let reconciler = Reconciler {
        name: "r".into(),
        origin: Origin::Cluster,
        generation: 1,
        component: Component::File("r.wasm".into()),
        subject: None,
        after: Vec::new(),
        after_any: Vec::new(),
        config,
        grants: Grants { read: granted.then_some(grant).into_iter().collect(), ..Grants::default() },
        limits: Limits::default(),
        mode: Mode::Enforce,
    };
    Configuration { reconcilers: vec![Arc::new(reconciler)] }
}

fn catalog(folder: &Path) -> (Arc<Fake>, Catalog) {
    let loader = Arc::new(Fake::default());
    (Arc::clone(&loader), Catalog::new(loader, Some(folder.to_owned())))
}

#[tokio::test]
async fn garbage_leaves_the_last_good_revision_running() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    assert!(catalog.refresh(&configuration(json!({}), true)).await[0].problems.is_empty());
    std::fs::write(folder.path().join("r.wasm"), "garbage").unwrap();
    let entry = catalog.refresh(&configuration(json!({}), true)).await.remove(0);
    assert_eq!(entry.invoke.unwrap().digest(), Digest::of("one"));
    assert!(entry.problems[0].contains("not a component"));
    std::fs::write(folder.path().join("r.wasm"), "two").unwrap();
    let entry = catalog.refresh(&configuration(json!({}), true)).await.remove(0);
    assert_eq!((entry.invoke.unwrap().digest(), entry.problems.len()), (Digest::of("two"), 0));
}

#[tokio::test]
async fn the_same_bytes_are_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let (loader, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    catalog.refresh(&configuration(json!({}), true)).await;
    catalog.refresh(&configuration(json!({"mode": "A"}), true)).await;
    assert_eq!(loader.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn every_violation_of_the_schema_and_every_missing_grant_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let entry = catalog.refresh(&configuration(json!({"mode": "C", "x": 1}), false)).await.remove(0);
    assert!(entry.invoke.is_none());
    let all = entry.problems.join("\n");
    for part in ["spec.config.mode", "'x'", "add `- {apiVersion: v1, kind: Pod}`"] {
        assert!(all.contains(part), "{part} not in {all}");
    }
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    let entry = catalog.refresh(&configuration(json!({}), true)).await.remove(0);
    assert!(entry.problems[0].contains("r.wasm"), "{:?}", entry.problems);
}

#[tokio::test]
async fn a_file_that_is_replaced_by_renaming_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = FileWatch::new().unwrap();
    watch.folder(folder.path(), false).unwrap();
    std::fs::write(folder.path().join("partial"), "two").unwrap();
    std::fs::rename(folder.path().join("partial"), folder.path().join("r.wasm")).unwrap();
    tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.unwrap();
}
