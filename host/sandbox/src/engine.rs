//! The engine that all plugins share, and the slots that their calls run in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::bindings::ReconcilerPlugin;
use crate::cache::Cache;
use crate::capabilities;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::limits::{CORE_INSTANCES, HOST_STACK, MEMORIES, MEMORY, RESIDENT, STACK, TABLE, TABLES};
use crate::ticker::{Awake, Ticker};

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Folder of compiled components; without one they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// Calls that can run at once; further ones wait, which does not count as their time. A call of a component with
    /// several memories counts for as many.
    pub instances: u32,
}

/// Loads components, and runs their calls. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Guest>,
    cache: Option<Cache>,
    slots: Semaphore,
    ticker: Ticker,
}

/// The right to run one instance: its memories in the pool, and a ticker that ticks.
pub(crate) struct Slot<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    _awake: Awake<'a>,
}

impl Sandbox {
    /// Sets up an engine, and a thread that ticks while guests run, for as long as the sandbox lives.
    ///
    /// # Errors
    /// When the cache's folder can't be used, or the system refuses memory or a thread.
    pub fn new(options: SandboxOptions) -> Result<Self, LoadError> {
        let engine = Engine::new(&config(options.instances)).map_err(LoadError::Engine)?;
        let mut linker = Linker::new(&engine);
        ReconcilerPlugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest: &mut Guest| guest)
            .map_err(LoadError::Engine)?;
        capabilities::wasi::add_to_linker(&mut linker).map_err(LoadError::Engine)?;
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let ticker = Ticker::start(engine.clone()).map_err(LoadError::Task)?;
        let slots = Semaphore::new(usize::try_from(memories(options.instances)).unwrap_or(Semaphore::MAX_PERMITS));
        Ok(Self(Arc::new(Inner { engine, linker, cache, slots, ticker })))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.0.linker
    }

    /// The folder that compiled components are kept in, if they are kept. It may be below the one that was given.
    pub fn cache_folder(&self) -> Option<&Path> {
        self.cache().map(Cache::folder)
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }

    /// Waits until the pool has so many memories for one instance. The slot must outlive the store that runs in it.
    pub(crate) async fn slot(&self, memories: u32) -> Slot<'_> {
        let memories = memories.clamp(1, MEMORIES);
        // The semaphore is never closed, so a permit is always granted in the end.
        Slot { _permit: self.0.slots.acquire_many(memories).await.ok(), _awake: self.0.ticker.wake() }
    }
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { cache: None, instances: 128 }
    }
}

/// The configuration of the engine, with a pool of so many instances.
pub(crate) fn config(instances: u32) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)))
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        // All that 32 bits can address, though most of it stays out of bounds: code then need not check each access.
        .memory_reservation(4 << 30)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + HOST_STACK)
        .wasm_component_model(true)
        // Features that no plugin needs are code that untrusted guests could reach.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // The same outcome on every machine, down to the bits of a NaN.
        .cranelift_nan_canonicalization(true)
        // The place of a panic is in the guest's own message; frames of unknown code do not help.
        .wasm_backtrace_max_frames(None);
    config
}

/// Memories of a pool of so many instances: one each, and at least enough for one of any component. An instance that
/// has several takes the place of several.
fn memories(instances: u32) -> u32 {
    instances.max(MEMORIES)
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    // Where the kernel can't list the pages that a call has written, keeping memory would mean to clear all of it.
    let resident = if PoolingAllocationConfig::is_pagemap_scan_available() { RESIDENT } else { 0 };
    let mut pool = PoolingAllocationConfig::new();
    let memories = memories(instances);
    pool.total_component_instances(memories)
        .total_core_instances(memories.saturating_mul(CORE_INSTANCES))
        .total_memories(memories)
        .total_tables(memories.saturating_mul(TABLES))
        .total_stacks(memories)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memory_size(MEMORY)
        .table_elements(TABLE)
        // A few warm slots make calls quick; the others give their memory back.
        .max_unused_warm_slots(8)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident);
    pool
}
