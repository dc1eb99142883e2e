//! The engine that all plugins share, and the slots that their calls run in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::bindings::ReconcilerPlugin;
use crate::cache::Cache;
use crate::component::Component;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::ticker::{Awake, Ticker};

/// Bytes of a guest's stack. Stops recursion without end from eating the host's memory.
pub(crate) const STACK: usize = 512 << 10;

/// Bytes of stack that are left for the host's own functions when a guest calls them at the end of its own.
const HOST_STACK: usize = 1 << 20;

/// Elements of a guest's tables. Stops a guest from growing a table where its memory is limited.
pub(crate) const TABLE: usize = 20_000;

/// The most that a guest's memory can be, whatever its limits say. Address space, not memory, is what a slot of the pool takes.
pub(crate) const MOST_MEMORY: usize = 1 << 30;

/// Bytes of a component. Stops a file that is no plugin from keeping the compiler busy for minutes.
const MOST_COMPONENT: usize = 128 << 20;

/// Bytes of the memory written by one call that its slot keeps for the next, which then need not ask the kernel for them.
const KEPT: usize = 512 << 10;

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Folder for compiled components; without one they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// How many calls can run at once; further ones wait, which does not count as their time.
    pub instances: u32,
}

/// Loads components. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Guest>,
    cache: Option<Cache>,
    slots: Semaphore,
    ticker: Ticker,
}

/// The right to run one instance: one of the pool's slots, and a clock that ticks.
pub(crate) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    _awake: Awake<'a>,
}

// === impl Sandbox ===

impl Sandbox {
    /// Sets up an engine, and a thread that ticks whenever guests run, for as long as the sandbox lives.
    pub fn new(options: SandboxOptions) -> Result<Self, LoadError> {
        let host = |error: wasmtime::Error| LoadError::Host(format!("{error:#}"));
        let engine = Engine::new(&config(options.instances)).map_err(host)?;
        let mut linker = Linker::new(&engine);
        ReconcilerPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest: &mut Guest| guest).map_err(host)?;
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let ticker = Ticker::start(engine.clone())
            .map_err(|error| LoadError::Host(format!("no thread for the ticker: {error}")))?;
        let slots = Semaphore::new(usize::try_from(options.instances).unwrap_or(Semaphore::MAX_PERMITS));
        Ok(Self(Arc::new(Inner { engine, linker, cache, slots, ticker })))
    }

    /// Loads a component from a file. See [`Sandbox::load`].
    pub async fn load_file(&self, file: &Path) -> Result<Component, LoadError> {
        let read = |source| LoadError::Read { file: file.to_owned(), source };
        fits(tokio::fs::metadata(file).await.map_err(read)?.len())?;
        self.load(tokio::fs::read(file).await.map_err(read)?).await
    }

    /// Compiles a component, or takes it from the cache; checks that it fits the world; asks it what it is.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Component, LoadError> {
        fits(bytes.len() as u64)?;
        Component::load(self.clone(), bytes).await
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.0.linker
    }

    /// The folder of compiled components, if they are kept.
    pub fn cache_folder(&self) -> Option<&Path> {
        self.cache().map(Cache::folder)
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }

    /// Waits for a slot. It must outlive the store that runs in it.
    pub(crate) async fn slot(&self) -> Slot<'_> {
        // The semaphore is never closed, so there is always a permit in the end.
        Slot { _permit: self.0.slots.acquire().await.ok(), _awake: self.0.ticker.wake() }
    }
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { cache: None, instances: 128 }
    }
}

fn fits(bytes: u64) -> Result<(), LoadError> {
    if bytes > MOST_COMPONENT as u64 {
        return Err(LoadError::Compile(format!("it has {bytes} bytes; {MOST_COMPONENT} are the most")));
    }
    Ok(())
}

pub(crate) fn config(instances: u32) -> Config {
    // Without the kernel's list of what a call has written, keeping memory would mean writing all of it each time.
    let kept = if PoolingAllocationConfig::is_pagemap_scan_available() { KEPT } else { 0 };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(8))
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
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(kept)
        .table_keep_resident(kept);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        // All that 32 bits can address, though most of it stays out of bounds: code need then not check each access.
        .memory_reservation(4 << 30)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + HOST_STACK)
        .wasm_component_model(true)
        // Nothing that no plugin needs: each is code that untrusted guests could reach.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // The same answer on every machine, down to the bits of a NaN.
        .cranelift_nan_canonicalization(true)
        // A panic's place is in the guest's own message; frames of unknown code help nobody.
        .wasm_backtrace_max_frames(None);
    config
}
