//! Components that are compiled, fit the world, and have been described by their own `describe`.

use std::path::Path;
use std::sync::Arc;

use mizzen_config::Limits;
use mizzen_model::{CallError, Description, Digest};
use wasmtime::Store;

use crate::bindings::ReconcilerPluginPre;
use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::call::call;
use crate::engine::Sandbox;
use crate::error::LoadError;
use crate::form::Form;
use crate::guest::Guest;
use crate::limits::{COMPONENT, DESCRIBE, MEMORIES, MEMORY};
use crate::no_reads::NoReads;
use crate::{description, form, world};

/// A loaded component. Cheap to clone.
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    sandbox: Sandbox,
    pre: ReconcilerPluginPre<Guest>,
    description: Description,
    digest: Digest,
    /// Memories that an instance takes from the pool.
    memories: u32,
    /// Whether it imports WASI.
    has_wasi: bool,
}

/// A component with its limits. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(crate) component: Component,
    pub(crate) limits: Limits,
}

impl Sandbox {
    /// Loads a component from a file. See [`Sandbox::load`].
    ///
    /// # Errors
    /// As [`Sandbox::load`], and [`LoadError::Read`].
    pub async fn load_file(&self, file: &Path) -> Result<Component, LoadError> {
        let read = |source| LoadError::Read { file: file.to_owned(), source };
        fits(tokio::fs::metadata(file).await.map_err(read)?.len())?;
        self.load(tokio::fs::read(file).await.map_err(read)?).await
    }

    /// Compiles a component or maps it from the cache, checks that it fits the world, and calls its `describe`.
    ///
    /// # Errors
    /// Says why the bytes are not a component of this world, or what is wrong with its description.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Component, LoadError> {
        fits(bytes.len() as u64)?;
        match Form::of(&bytes) {
            Form::NotWasm => return Err(LoadError::NotWasm),
            Form::CoreModule if form::is_preview1(&bytes) => return Err(LoadError::Preview1),
            Form::CoreModule => return Err(LoadError::CoreModule),
            Form::Component | Form::Unknown => {}
        }
        let digest = Digest::of(&bytes);
        let own = self.clone();
        let component = tokio::task::spawn_blocking(move || compile(&own, &bytes, digest)).await??;
        let has_wasi = world::check(self.engine(), &component)?;
        let memories = component.resources_required().map_or(MEMORIES, |required| required.num_memories);
        let pre = self.linker().instantiate_pre(&component).map_err(LoadError::Link)?;
        let pre = ReconcilerPluginPre::new(pre).map_err(LoadError::Link)?;
        let described = describe(self, &pre, memories, digest).await.map_err(LoadError::Describe)?;
        let description = description::description(described)?;
        Ok(Component(Arc::new(Inner { sandbox: self.clone(), pre, description, digest, memories, has_wasi })))
    }
}

impl Component {
    /// What its `describe` returned.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// Digest of its bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Returns the component as a plugin, each call of which is bounded by these limits.
    pub fn with_limits(&self, limits: Limits) -> Plugin {
        // A refusal by the pool would look like a trap.
        let memory = limits.memory.min(MEMORY as u64);
        Plugin { component: self.clone(), limits: Limits { memory, ..limits } }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// Memories that an instance takes from the pool.
    pub(crate) fn memories(&self) -> u32 {
        self.0.memories
    }

    /// Whether it imports WASI.
    pub(crate) fn has_wasi(&self) -> bool {
        self.0.has_wasi
    }

    pub(crate) fn pre(&self) -> &ReconcilerPluginPre<Guest> {
        &self.0.pre
    }
}

fn fits(bytes: u64) -> Result<(), LoadError> {
    if bytes > COMPONENT { Err(LoadError::TooLarge { bytes, most: COMPONENT }) } else { Ok(()) }
}

async fn describe(
    sandbox: &Sandbox,
    pre: &ReconcilerPluginPre<Guest>,
    memories: u32,
    digest: Digest,
) -> Result<wit::Description, CallError> {
    let _slot = sandbox.slot(memories).await;
    call(sandbox.engine(), Arc::new(NoReads), DESCRIBE, digest, async |store: &mut Store<Guest>| {
        let plugin = pre.instantiate_async(&mut *store).await?;
        plugin.mizzen_plugin_reconciler().call_describe(store).await
    })
    .await
}

fn compile(sandbox: &Sandbox, bytes: &[u8], digest: Digest) -> Result<wasmtime::component::Component, LoadError> {
    let compile = || wasmtime::component::Component::new(sandbox.engine(), bytes).map_err(LoadError::Compile);
    let Some(cache) = sandbox.cache() else { return compile() };
    if let Some(component) = cache.component(sandbox.engine(), digest) {
        return Ok(component);
    }
    let component = compile()?;
    // A component that can't be cached is still run.
    match component.serialize() {
        Ok(code) => {
            if let Err(error) = cache.put(digest, &code) {
                tracing::warn!(%digest, %error, "a compiled component could not be cached");
            }
        }
        Err(error) => tracing::warn!(%digest, %error, "a compiled component could not be serialised"),
    }
    Ok(component)
}
