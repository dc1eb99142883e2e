//! The engine that all plugins share, and the clock that ends their time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::bindings::ReconcilerPlugin;
use crate::cache::Cache;
use crate::component::Component;
use crate::error::LoadError;
use crate::guest::Guest;

/// How often guests are interrupted: each gives way to others at every tick, so none holds a thread for longer.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Bytes of a guest's stack. Stops recursion without end from eating the host's stack.
pub(crate) const STACK: usize = 1 << 20;

/// Elements of a guest's tables. Stops a guest from growing a table where its memory is limited.
pub(crate) const TABLE: usize = 20_000;

/// The most that `limits.memory` can be. Address space, not memory, is what a slot of the pool takes.
const MOST_MEMORY: usize = 1 << 30;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Folder for compiled components; without one they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// How many calls can run at once. Further ones fail; the engine's queue keeps below.
    pub instances: u32,
}

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Guest>,
    cache: Option<Cache>,
    stopped: Arc<AtomicBool>,
}

// === impl Sandbox ===

impl Sandbox {
    /// Sets up an engine, and a thread that ticks for as long as the sandbox lives.
    pub fn new(options: SandboxOptions) -> Result<Self, LoadError> {
        let host = |error: wasmtime::Error| LoadError::Host(format!("{error:#}"));
        let engine = Engine::new(&config(options.instances)).map_err(host)?;
        let mut linker = Linker::new(&engine);
        ReconcilerPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest: &mut Guest| guest).map_err(host)?;
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let (ticking, over) = (engine.clone(), Arc::clone(&stopped));
        // A thread of its own: a runtime whose threads are all busy with guests could not tick.
        let ticker = std::thread::Builder::new().name("mizzen-ticker".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                ticking.increment_epoch();
            }
        });
        ticker.map_err(|error| LoadError::Host(format!("no thread for the ticker: {error}")))?;
        Ok(Self(Arc::new(Inner { engine, linker, cache, stopped })))
    }

    /// Loads a component from a file. See [`Sandbox::load`].
    pub async fn load_file(&self, file: &Path) -> Result<Component, LoadError> {
        let bytes = tokio::fs::read(file).await.map_err(|source| LoadError::Read { file: file.to_owned(), source })?;
        self.load(bytes).await
    }

    /// Compiles a component, or takes it from the cache; checks that it fits the world; asks it what it is.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Component, LoadError> {
        Component::load(self.clone(), bytes).await
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.0.linker
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { cache: None, instances: 128 }
    }
}

fn config(instances: u32) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(4))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .max_core_instances_per_component(8)
        .max_memory_size(MOST_MEMORY)
        .table_elements(TABLE)
        // A few warm slots make calls quick; the others give their memory back.
        .max_unused_warm_slots(8)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(64 << 10);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .memory_reservation(MOST_MEMORY as u64)
        .max_wasm_stack(STACK)
        .async_stack_size(2 * STACK)
        .wasm_component_model(true)
        // Nothing that no plugin needs: each is code that untrusted guests could reach.
        .wasm_memory64(false)
        // A panic's place is in the guest's own message; frames of unknown code help nobody.
        .wasm_backtrace_max_frames(None);
    config
}
