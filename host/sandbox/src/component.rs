//! A component that was compiled, fits the world, and has said what it is.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mizzen_config::Limits;
use mizzen_model::read::Level;
use mizzen_model::{AccessError, CallError, Description, Digest, Kind, Object, ObjectRef, Query, Reads};

use wasmtime::Store;

use crate::bindings::ReconcilerPluginPre;
use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::call::{Plugin, limited, new_store};
use crate::description;
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::world;

/// What `describe` may cost. It is asked before anybody has granted anything, so it gets little and reads nothing.
const DESCRIBE: Limits =
    Limits { memory: 16 << 20, time: Duration::from_secs(2), outcome: 1 << 20, reads: 100, requests: 0 };

/// A loaded component. Cheap to clone.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    sandbox: Sandbox,
    pre: ReconcilerPluginPre<Guest>,
    description: Description,
    digest: Digest,
}

// === impl Component ===

impl Component {
    pub(crate) async fn load(sandbox: Sandbox, bytes: Vec<u8>) -> Result<Self, LoadError> {
        let digest = Digest::of(&bytes);
        let compiling = sandbox.clone();
        let compiled = tokio::task::spawn_blocking(move || compile(&compiling, &bytes, digest));
        let component = compiled.await.map_err(|error| LoadError::Host(error.to_string()))??;
        world::check(sandbox.engine(), &component)?;
        let world = |error: wasmtime::Error| LoadError::World(format!("{error:#}"));
        let pre = sandbox.linker().instantiate_pre(&component).map_err(world)?;
        let pre = ReconcilerPluginPre::new(pre).map_err(world)?;
        let described = describe(&sandbox, &pre).await.map_err(LoadError::Describe)?;
        let description = description::description(described)?;
        Ok(Self(Arc::new(Inner { sandbox, pre, description, digest })))
    }

    /// What it says of itself.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// The component as a plugin whose calls may cost this much.
    pub fn with_limits(&self, limits: Limits) -> Plugin {
        Plugin::new(self.clone(), limits)
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    pub(crate) fn pre(&self) -> &ReconcilerPluginPre<Guest> {
        &self.0.pre
    }
}

async fn describe(sandbox: &Sandbox, pre: &ReconcilerPluginPre<Guest>) -> Result<wit::Description, CallError> {
    let _slot = sandbox.slot().await;
    let mut store = new_store(sandbox.engine(), Arc::new(Nothing), DESCRIBE);
    limited(&mut store, DESCRIBE, async |store: &mut Store<Guest>| {
        let plugin = pre.instantiate_async(&mut *store).await?;
        plugin.mizzen_plugin_reconciler().call_describe(store).await
    })
    .await
}

fn compile(sandbox: &Sandbox, bytes: &[u8], digest: Digest) -> Result<wasmtime::component::Component, LoadError> {
    let fresh = || {
        let compiled = wasmtime::component::Component::new(sandbox.engine(), bytes);
        compiled.map_err(|error| LoadError::Compile(format!("{error:#}")))
    };
    let Some(cache) = sandbox.cache() else { return fresh() };
    if let Some(component) = cache.component(sandbox.engine(), digest) {
        return Ok(component);
    }
    let component = fresh()?;
    // That it can't be kept is no reason not to run it.
    let kept = component.serialize().map_err(|error| error.to_string());
    if let Err(error) = kept.and_then(|code| cache.put(digest, &code).map_err(|error| error.to_string())) {
        tracing::warn!(%digest, error, "a compiled component could not be kept");
    }
    Ok(component)
}

/// Answers nothing: what `describe` reads.
pub(crate) struct Nothing;

fn too_early<T>() -> Result<T, AccessError> {
    Err(AccessError::Denied("`describe` reads nothing".into()))
}

#[async_trait]
impl Reads for Nothing {
    async fn get(&self, _: &ObjectRef, _: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        too_early()
    }
    async fn list(&self, _: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        too_early()
    }
    async fn count(&self, _: &Query) -> Result<u64, AccessError> {
        too_early()
    }
    async fn serves(&self, _: &Kind) -> bool {
        false
    }
    fn now(&self) -> u64 {
        0
    }
    fn log(&self, _: Level, _: &str, _: &[(String, String)]) {}
}
