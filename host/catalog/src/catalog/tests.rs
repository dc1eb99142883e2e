use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mizzen_config::{Grant, Grants, Mode, RenderLimits, Renderer, Subject};
use mizzen_model::{
    Access, Call, CallError, Description, Failure, Kind, Labels, Need, Outcome, Reads, Render, RenderError, Rendered,
    Request, Selector,
};
use serde_json::{Value, json};

use super::*;
use crate::{Depth, FileWatch, Loading};

/// Loads any bytes but `garbage` as a component; what some of them say is in its description.
#[derive(Default)]
struct Fake {
    loads: AtomicUsize,
    subject: Option<Kind>,
    renderers: Vec<String>,
}

/// A renderer that is never called.
struct Silent(Digest);

#[async_trait]
impl Render for Silent {
    fn digest(&self) -> Digest {
        self.0
    }
    async fn render(&self, _: &str) -> Result<Rendered, RenderError> {
        Ok([].into())
    }
}

struct Plugin(Description, Digest);

#[async_trait]
impl Loader for Fake {
    async fn load(&self, _: &Path, bytes: Vec<u8>, _: Limits) -> Result<Arc<dyn Invoke>, LoadError> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if bytes == b"garbage" {
            return Err(garbage());
        }
        let pod = Kind::new("v1", "Pod");
        let about_pods = (bytes == b"about pods").then(|| pod.clone());
        let description = Description {
            name: "fake".into(),
            version: "1".into(),
            summary: String::new(),
            subject: self.subject.clone().or(about_pods).unwrap_or_else(|| Kind::new("v1", "Service")),
            config_schema: json!({"properties": {"mode": {"enum": ["A", "B"]}}, "additionalProperties": false}),
            needs: vec![Need { kind: pod, access: Access::Read, why: "to look".into() }],
            field_sets: BTreeMap::new(),
            http: Vec::new(),
            credentials: Vec::new(),
            renderers: self.renderers.clone(),
            finalizes: bytes == b"finalizes",
        };
        Ok(Arc::new(Plugin(description, Digest::of(bytes))))
    }

    async fn load_renderer(&self, _: &Renderer, file: &Path) -> Result<Loading, LoadError> {
        let bytes = std::fs::read(file).map_err(LoadError::new)?;
        match &*bytes {
            b"garbage" => Err(garbage()),
            b"slow" => Ok(Loading::Compiling),
            _ => Ok(Loading::Ready(Arc::new(Silent(Digest::of(bytes))))),
        }
    }
}

fn garbage() -> LoadError {
    LoadError::new(std::io::Error::other("not a component"))
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
        Err(CallError::Host("never called here".into()))
    }
}

fn configuration(config: Value, granted: bool) -> Configuration {
    let grant = Grant::everywhere(Kind::new("v1", "Pod"));
    let reconciler = Reconciler {
        name: "r".into(),
        origin: Origin::Cluster,
        generation: 1,
        component: Component::File("r.wasm".into()),
        subject: Subject::every(Kind::new("v1", "Service")),
        after: Vec::new(),
        after_any: Vec::new(),
        config,
        grants: Grants { read: granted.then_some(grant).into_iter().collect(), ..Grants::default() },
        limits: Limits::default(),
        pace: BTreeMap::new(),
        mode: Mode::Enforce,
    };
    Configuration { reconcilers: vec![Arc::new(reconciler)], ..Configuration::default() }
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
    assert!(entry.problems[0].to_string().contains("not a component"));
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
    assert_eq!(loader.loads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_shared_component_is_loaded_once_even_if_it_can_not_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (loader, mut catalog) = catalog(folder.path());
    let mut configuration = configuration(json!({}), true);
    let other = Reconciler { name: "s".into(), ..Reconciler::clone(&configuration.reconcilers[0]) };
    configuration.reconcilers.push(Arc::new(other));
    for (bytes, problems) in [("one", 0), ("garbage", 2)] {
        std::fs::write(folder.path().join("r.wasm"), bytes).unwrap();
        let entries = catalog.refresh(&configuration).await;
        assert_eq!(entries.iter().map(|entry| entry.problems.len()).sum::<usize>(), problems);
    }
    assert_eq!(loader.loads.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn limits_apply_as_soon_as_the_configuration_is_valid_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let (loader, mut catalog) = catalog(folder.path());
    catalog.refresh(&configuration(json!({}), true)).await;
    let tighter = |config| {
        let mut configuration = configuration(config, true);
        Arc::make_mut(&mut configuration.reconcilers[0]).limits.reads = 1;
        configuration
    };
    catalog.refresh(&tighter(json!({"mode": "C"}))).await;
    catalog.refresh(&tighter(json!({}))).await;
    assert_eq!(loader.loads.load(Ordering::Relaxed), 3, "the last good revision has the limits of before");
}

#[tokio::test]
async fn every_violation_of_the_schema_and_every_missing_grant_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let entry = catalog.refresh(&configuration(json!({"mode": "C", "x": 1}), false)).await.remove(0);
    assert!(entry.invoke.is_none());
    let all = entry.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for part in ["spec.config.mode: \"C\" is not one of", "spec.config.x: ", "add `- {apiVersion: v1, kind: Pod}`"] {
        assert!(all.contains(part), "{part} not in {all}");
    }
}

#[tokio::test]
async fn a_plugin_is_never_run_with_a_configuration_that_its_schema_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    catalog.refresh(&configuration(json!({"mode": "A"}), true)).await;
    let entry = catalog.refresh(&configuration(json!({"mode": "C"}), true)).await.remove(0);
    assert!(entry.problems[0].to_string().contains("spec.config.mode"), "{:?}", entry.problems);
    assert_eq!((entry.invoke.is_some(), &entry.reconciler.config), (true, &json!({"mode": "A"})));
    // A second invalid configuration does not replace the last valid one either; a valid one does.
    let entry = catalog.refresh(&configuration(json!({"mode": "D"}), true)).await.remove(0);
    assert_eq!(entry.reconciler.config, json!({"mode": "A"}));
    let entry = catalog.refresh(&configuration(json!({"mode": "B"}), true)).await.remove(0);
    assert_eq!((entry.problems.len(), &entry.reconciler.config), (0, &json!({"mode": "B"})));
}

#[tokio::test]
async fn the_removal_of_a_grant_takes_effect_even_while_the_last_good_revision_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    catalog.refresh(&configuration(json!({"mode": "A"}), true)).await;
    let entry = catalog.refresh(&configuration(json!({"mode": "C"}), false)).await.remove(0);
    assert!(entry.invoke.is_some() && entry.reconciler.grants.read.is_empty());
}

#[tokio::test]
async fn a_plugin_is_refused_if_its_subjects_are_of_another_kind_than_the_configured_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let loader = Fake { subject: Some(Kind::new("v1", "Pod")), ..Fake::default() };
    let mut catalog = Catalog::new(Arc::new(loader), Some(folder.path().to_owned()));
    let mut configuration = configuration(json!({}), true);
    let entry = catalog.refresh(&configuration).await.remove(0);
    let problem = entry.problems[0].to_string();
    assert!(entry.invoke.is_none() && problem.contains("spec.subject: is v1 Service"), "{problem}");
    assert!(problem.contains("called for v1 Pod"), "{problem}");
    Arc::make_mut(&mut configuration.reconcilers[0]).subject = Subject::every(Kind::new("v1", "Pod"));
    assert!(catalog.refresh(&configuration).await[0].problems.is_empty());
    // A last good revision must not run on with subjects of another kind either.
    Arc::make_mut(&mut configuration.reconcilers[0]).subject = Subject::every(Kind::new("v1", "Service"));
    assert!(catalog.refresh(&configuration).await[0].invoke.is_none());
}

#[tokio::test]
async fn a_new_revision_can_not_choose_other_subjects_and_the_last_good_one_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let configuration = configuration(json!({}), true);
    let good = catalog.refresh(&configuration).await.remove(0).invoke.unwrap().digest();
    std::fs::write(folder.path().join("r.wasm"), "about pods").unwrap();
    let entry = catalog.refresh(&configuration).await.remove(0);
    assert_eq!(entry.invoke.unwrap().digest(), good);
    assert_eq!((entry.problems.len(), &*entry.problems[0].field), (1, "spec.subject"));
}

#[tokio::test]
async fn a_plugin_that_finalizes_needs_a_grant_for_subjects_of_a_built_in_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    std::fs::write(folder.path().join("r.wasm"), "finalizes").unwrap();
    let mut configuration = configuration(json!({}), true);
    let entry = catalog.refresh(&configuration).await.remove(0);
    assert_eq!((entry.problems.len(), &*entry.problems[0].field), (1, "spec.grants.finalizer"));
    Arc::make_mut(&mut configuration.reconcilers[0]).grants.finalizer = Some(true);
    assert!(catalog.refresh(&configuration).await[0].problems.is_empty());
}

#[tokio::test]
async fn a_folder_that_is_created_later_can_be_watched_then() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("later");
    let mut watch = FileWatch::new().unwrap();
    assert!(watch.folder(&folder, Depth::Folder).is_err());
    std::fs::create_dir(&folder).unwrap();
    watch.folder(&folder, Depth::Folder).unwrap();
    std::fs::write(folder.join("r.wasm"), "one").unwrap();
    tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.unwrap();
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut catalog) = catalog(folder.path());
    let entry = catalog.refresh(&configuration(json!({}), true)).await.remove(0);
    assert!(entry.problems[0].to_string().contains("r.wasm"), "{:?}", entry.problems);
}

#[tokio::test]
async fn a_file_that_is_replaced_by_renaming_is_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = FileWatch::new().unwrap();
    watch.folder(folder.path(), Depth::Folder).unwrap();
    std::fs::write(folder.path().join("partial"), "two").unwrap();
    std::fs::rename(folder.path().join("partial"), folder.path().join("r.wasm")).unwrap();
    tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.unwrap();
}

fn renderers(limits: RenderLimits) -> Configuration {
    let renderer = Renderer {
        name: "charts".into(),
        origin: Origin::Cluster,
        generation: 1,
        labels: Labels::default(),
        component: Component::File("charts.wasm".into()),
        limits,
    };
    Configuration { renderers: vec![Arc::new(renderer)], ..Configuration::default() }
}

#[tokio::test]
async fn the_last_good_renderer_runs_until_the_next_one_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("charts.wasm");
    let (_, mut catalog) = catalog(folder.path());
    let configuration = renderers(RenderLimits::default());
    let why = |entry: &RendererEntry| entry.loaded().err().unwrap().to_string();
    std::fs::write(&file, "slow").unwrap();
    let entry = catalog.refresh_renderers(&configuration).await.remove(0);
    assert!(entry.compiling && why(&entry).contains("is being compiled"), "{}", why(&entry));
    std::fs::write(&file, "garbage").unwrap();
    let entry = catalog.refresh_renderers(&configuration).await.remove(0);
    assert!(!entry.compiling && why(&entry).contains("charts.wasm: not a component"), "{}", why(&entry));
    std::fs::write(&file, "one").unwrap();
    let entry = catalog.refresh_renderers(&configuration).await.remove(0);
    assert_eq!((entry.loaded().ok().unwrap().digest(), entry.problem), (Digest::of("one"), None));
    for bytes in ["slow", "garbage"] {
        std::fs::write(&file, bytes).unwrap();
        let entry = catalog.refresh_renderers(&configuration).await.remove(0);
        assert_eq!(entry.loaded().ok().unwrap().digest(), Digest::of("one"), "{bytes}");
    }
}

#[tokio::test]
async fn an_unchanged_renderer_stays_the_same_value_until_its_limits_change() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("charts.wasm"), "one").unwrap();
    let (_, mut catalog) = catalog(folder.path());
    let mut loaded = Vec::new();
    let defaults = RenderLimits::default();
    for limits in [defaults, defaults, RenderLimits { output: 1, ..defaults }] {
        loaded.push(catalog.refresh_renderers(&renderers(limits)).await.remove(0).loaded().ok().unwrap());
    }
    assert!(Arc::ptr_eq(&loaded[0], &loaded[1]) && !Arc::ptr_eq(&loaded[1], &loaded[2]));
}

#[tokio::test]
async fn a_plugin_that_calls_renderers_does_not_run_until_they_are_granted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.wasm"), "one").unwrap();
    let loader = Fake { renderers: vec!["charts".into()], ..Fake::default() };
    let mut catalog = Catalog::new(Arc::new(loader), Some(folder.path().to_owned()));
    let mut configuration = configuration(json!({}), true);
    let entry = catalog.refresh(&configuration).await.remove(0);
    assert!(
        entry.invoke.is_none() && entry.problems[0].message.contains("calls renderers (charts)"),
        "{:?}",
        entry.problems
    );
    Arc::make_mut(&mut configuration.reconcilers[0]).grants.renderers = Some(Selector::equal("a", "b"));
    assert!(catalog.refresh(&configuration).await[0].problems.is_empty());
}
