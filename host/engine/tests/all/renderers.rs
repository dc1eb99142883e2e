//! Renderers: which plugins may call them, and which keys are requeued when one is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Stage, a_map, a_shop, count, desires, memory, plugin, put};
use async_trait::async_trait;
use mizzen_engine::{NodeSpec, RendererSpec};
use mizzen_model::{
    AccessError, Digest, Failure, Labels, LoadError, Reads, Render, RenderError, Rendered, Renderer, Selector,
};
use serde_json::{Value, json};

/// A renderer of one `ConfigMap` that contains the renderer's version.
struct Maps {
    version: &'static str,
    calls: AtomicUsize,
}

#[async_trait]
impl Render for Maps {
    fn digest(&self) -> Digest {
        Digest::of(self.version)
    }
    async fn render(&self, function_config: &str) -> Result<Rendered, RenderError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let config: Value = serde_json::from_str(function_config).unwrap();
        let Some(name) = config["name"].as_str() else {
            return Err(RenderError::Rejected("`name` is missing".into()));
        };
        Ok([a_map("a", name, json!({"by": self.version})).to_string().into()].into())
    }
}

fn maps(version: &'static str) -> Arc<Maps> {
    Arc::new(Maps { version, calls: AtomicUsize::new(0) })
}

fn spec(name: &str, render: Result<Arc<Maps>, &str>) -> RendererSpec {
    let labels = Labels::of(&json!({"example.com/makes": "maps"}));
    let render = render.map(|render| render as Arc<dyn Render>).map_err(str::to_owned);
    RendererSpec { renderer: Renderer { name: name.into(), labels }, render: render.map_err(LoadError::new) }
}

async fn render(reads: &Arc<dyn Reads>, renderer: &str, shop: &Value) -> Result<Vec<Value>, RenderError> {
    let config = json!({"name": shop["spec"]["map"]}).to_string();
    let objects = reads.render(renderer, &config).await?;
    Ok(objects.iter().map(|object| serde_json::from_str(object).unwrap()).collect())
}

/// A plugin that applies what the first available renderer renders for its shop.
fn applying(granted: Option<Selector>) -> (NodeSpec, Arc<AtomicUsize>) {
    let builder = plugin("p").with(|description, reconciler| {
        description.renderers.push("maps".into());
        reconciler.grants.renderers = granted;
    });
    builder.reconciles(|shop, reads| async move {
        let Some(renderer) = reads.renderers().await.into_iter().next() else {
            return Ok(Err(Failure::Invalid("there is no renderer".into())));
        };
        Ok(match render(&reads, &renderer.name, &shop).await {
            Ok(objects) => Ok(desires(objects)),
            Err(RenderError::Access(AccessError::Unavailable(why))) => Err(Failure::Retry(why)),
            Err(error) => Err(Failure::Invalid(error.to_string())),
        })
    })
}

fn of_maps() -> Selector {
    Selector::equal("example.com/makes", "maps")
}

/// A stage with one shop, these renderers, and the plugin that calls them.
async fn stage(granted: Option<Selector>, renderers: Vec<RendererSpec>) -> (Stage, Arc<AtomicUsize>) {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let stage = Stage::on(&memory, Vec::new()).await;
    let (node, calls) = applying(granted);
    stage.engine.set_renderers(renderers);
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    (stage, calls)
}

async fn replace(stage: &Stage, renderers: Vec<RendererSpec>) {
    stage.engine.set_renderers(renderers);
    stage.engine.settled().await;
}

#[tokio::test(start_paused = true)]
async fn rendered_objects_are_applied_and_not_rendered_again_while_nothing_changes() {
    let one = maps("1");
    let (stage, calls) = stage(Some(of_maps()), vec![spec("one", Ok(Arc::clone(&one)))]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"by": "1"}));
    replace(&stage, vec![spec("one", Ok(Arc::clone(&one)))]).await;
    assert_eq!((count(&calls), one.calls.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn replacing_a_renderer_requeues_its_callers() {
    let (stage, calls) = stage(Some(of_maps()), vec![spec("one", Ok(maps("1")))]).await;
    replace(&stage, vec![spec("one", Ok(maps("2")))]).await;
    assert_eq!((count(&calls), stage.data("m").unwrap()), (2, json!({"by": "2"})));
}

#[tokio::test(start_paused = true)]
async fn adding_or_removing_a_renderer_requeues_its_readers_and_one_that_is_not_granted_does_not() {
    let one = maps("1");
    let (stage, calls) = stage(Some(of_maps()), vec![spec("one", Ok(Arc::clone(&one)))]).await;
    let mut foreign = spec("foreign", Ok(maps("3")));
    foreign.renderer.labels = Labels::of(&json!({"example.com/makes": "charts"}));
    replace(&stage, vec![spec("one", Ok(Arc::clone(&one))), foreign.clone()]).await;
    assert_eq!(count(&calls), 1);
    replace(&stage, vec![spec("one", Ok(one)), foreign, spec("another", Ok(maps("2")))]).await;
    assert_eq!((count(&calls), stage.data("m").unwrap()), (2, json!({"by": "2"})));
}

#[tokio::test(start_paused = true)]
async fn a_renderer_that_is_being_loaded_is_unavailable_and_its_callers_are_requeued_when_it_is_loaded() {
    let (stage, _) = stage(Some(of_maps()), vec![spec("one", Err("it is being compiled"))]).await;
    let (_, reason, message) = stage.condition("mizzen.dev/p");
    assert_eq!(reason, "Retrying");
    assert!(message.contains("renderer `one`: it is being compiled"), "{message}");
    replace(&stage, vec![spec("one", Ok(maps("1")))]).await;
    assert_eq!(stage.data("m").unwrap(), json!({"by": "1"}));
}

#[tokio::test(start_paused = true)]
async fn a_plugin_without_a_grant_for_renderers_sees_none() {
    for granted in [None, Some(Selector::equal("example.com/makes", "charts"))] {
        let one = maps("1");
        let (stage, _) = stage(granted, vec![spec("one", Ok(Arc::clone(&one)))]).await;
        assert!(stage.condition("mizzen.dev/p").2.contains("there is no renderer"));
        assert_eq!(one.calls.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_renderer_is_denied_to_a_plugin_that_did_not_declare_it_or_was_not_granted_it() {
    for (declared, granted, reason) in [
        (false, Some(of_maps()), "did not declare calling renderers"),
        (true, None, "add `spec.grants.renderers.matchLabels`"),
        (true, Some(Selector::equal("a", "b")), "or is not granted to `p` by its labels"),
    ] {
        let memory = memory();
        put(&memory, &a_shop("x", json!({"map": "m"})));
        let builder = plugin("p").with(|description, reconciler| {
            description.renderers.extend(declared.then(|| "maps".to_owned()));
            reconciler.grants.renderers = granted;
        });
        let (node, _) = builder.reconciles(|shop, reads| async move {
            Ok(match render(&reads, "one", &shop).await {
                Err(RenderError::Access(AccessError::Denied(why))) => Err(Failure::Invalid(why)),
                other => panic!("{other:?}"),
            })
        });
        let stage = Stage::on(&memory, Vec::new()).await;
        stage.engine.set_renderers(vec![spec("one", Ok(maps("1")))]);
        stage.engine.configure(vec![node]);
        stage.engine.settled().await;
        let message = stage.condition("mizzen.dev/p").2;
        assert!(message.contains(reason), "{reason} not in {message}");
    }
}

/// Also where the plugin desires nothing because the renderer rejected its document.
#[tokio::test(start_paused = true)]
async fn a_rejected_rendering_prunes_nothing() {
    let memory = memory();
    put(&memory, &a_shop("x", json!({"map": "m"})));
    let builder = plugin("p").with(|description, reconciler| {
        description.renderers.push("maps".into());
        reconciler.grants.renderers = Some(of_maps());
    });
    let (node, calls) = builder.reconciles(|shop, reads| async move {
        Ok(Ok(desires(render(&reads, "one", &shop).await.unwrap_or_default())))
    });
    let stage = Stage::on(&memory, Vec::new()).await;
    stage.engine.set_renderers(vec![spec("one", Ok(maps("1")))]);
    stage.engine.configure(vec![node]);
    stage.engine.settled().await;
    stage.put(&a_shop("x", json!({}))).await;
    assert_eq!((count(&calls), stage.data("m").unwrap()), (2, json!({"by": "1"})));
}
