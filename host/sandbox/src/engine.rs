//! The engine that all plugins share, and the slots that their calls run in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::bindings::ReconcilerPlugin;
use crate::cache::Cache;
use crate::error::LoadError;
use crate::guest::Guest;
use crate::limits::{HOST_STACK, MEMORY, RESIDENT, STACK, TABLE};
use crate::ticker::{Awake, Ticker};

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Folder of compiled components; without one they are compiled at each start.
    pub cache: Option<PathBuf>,
    /// Calls that can run at once; further ones wait, which does not count as their time.
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

/// The right to run one instance: a slot of the pool, and a ticker that ticks.
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
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let ticker = Ticker::start(engine.clone()).map_err(LoadError::Task)?;
        let slots = Semaphore::new(usize::try_from(options.instances).unwrap_or(Semaphore::MAX_PERMITS));
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

    /// Waits for a slot. It must outlive the store that runs in it.
    pub(crate) async fn slot(&self) -> Slot<'_> {
        // The semaphore is never closed, so a permit is always granted in the end.
        Slot { _permit: self.0.slots.acquire().await.ok(), _awake: self.0.ticker.wake() }
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

fn pool(instances: u32) -> PoolingAllocationConfig {
    // Where the kernel can't list the pages that a call has written, keeping memory would mean to clear all of it.
    let resident = if PoolingAllocationConfig::is_pagemap_scan_available() { RESIDENT } else { 0 };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(8))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(4))
        .total_stacks(instances)
        .max_memories_per_component(1)
        .max_tables_per_component(4)
        .max_core_instances_per_component(8)
        .max_memory_size(MEMORY)
        .table_elements(TABLE)
        // A few warm slots make calls quick; the others give their memory back.
        .max_unused_warm_slots(8)
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident);
    pool
}
