//! The engine that all renderers share: what is loaded, what is being compiled, and how many run at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use mizzen_model::Digest;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::{Config, Engine, Linker, OptLevel};

use super::clock;
use super::compiler::Compiler;
use super::compiling::Compiling;
use super::component::Compiled;
use super::files::Files;
use super::limits::{HOST_STACK, STACK};
use super::memo::Memo;
use super::store::Rendering;
use crate::cache::Cache;
use crate::error::LoadError;
use crate::ticker::{Awake, Ticker};

/// How renderers are run.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Folder of compiled components, which renderers are mapped from; without one no renderer loads.
    pub cache: Option<PathBuf>,
    /// Compiles what is not in the cache; without one renderers must be compiled ahead.
    pub compiler: Option<Compiler>,
    /// Renderings at once; further ones wait, which does not count as their time. Each may take hundreds of megabytes.
    pub at_once: usize,
    /// Bytes of results that are kept.
    pub kept: usize,
}

/// Loads and runs renderers. Cheap to clone.
#[derive(Clone)]
pub struct Renderers(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Rendering>,
    cache: Option<Cache>,
    compiling: Option<Compiling>,
    files: Files,
    loaded: Mutex<HashMap<Digest, Weak<Compiled>>>,
    memo: Memo,
    slots: Arc<Semaphore>,
    renderings: AtomicU64,
    ticker: Ticker,
}

/// A component after it was looked for.
pub(super) enum Found {
    /// It is compiled.
    Compiled(Arc<Compiled>),
    /// It is being compiled.
    Compiling,
}

impl Renderers {
    /// Sets up an engine, and a thread that ticks while renderers run.
    ///
    /// # Errors
    /// When the cache's folder can't be used, or the system refuses memory or a thread.
    pub fn new(options: RenderOptions) -> Result<Self, LoadError> {
        let engine = config().and_then(|config| Engine::new(&config)).map_err(LoadError::Engine)?;
        let linker = linker(&engine).map_err(LoadError::Engine)?;
        let compiling =
            options.compiler.zip(options.cache.clone()).map(|(compiler, cache)| Compiling::new(compiler, cache));
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let ticker = Ticker::start(engine.clone()).map_err(LoadError::Task)?;
        Ok(Self(Arc::new(Inner {
            engine,
            linker,
            cache,
            compiling,
            files: Files::default(),
            loaded: Mutex::default(),
            memo: Memo::new(options.kept),
            slots: Arc::new(Semaphore::new(options.at_once)),
            renderings: AtomicU64::new(0),
            ticker,
        })))
    }

    /// Changes whenever compiling a renderer ended, whether it succeeded or failed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.compiling.as_ref().map_or_else(|| watch::channel(0).1, Compiling::changes)
    }

    /// Waits until nothing is being compiled.
    pub async fn settled(&self) {
        if let Some(compiling) = &self.0.compiling {
            compiling.settled().await;
        }
    }

    /// The number of renderings so far. Results that were kept do not count.
    pub fn renderings(&self) -> u64 {
        self.0.renderings.load(Ordering::Relaxed)
    }

    /// Maps a component from the cache, or compiles it in the background.
    pub(super) async fn find(&self, file: &Path) -> Result<Found, LoadError> {
        let digest = self.0.files.digest(file).await?;
        let cache = self.0.cache.as_ref().ok_or(LoadError::NoCache)?;
        let compiled = self.mapped(digest).await?;
        match (compiled, &self.0.compiling) {
            (Some(compiled), compiling) => {
                if let Some(compiling) = compiling {
                    compiling.found(digest);
                }
                Ok(Found::Compiled(compiled))
            }
            (None, Some(compiling)) => {
                compiling.start(digest, file).map_err(LoadError::Compiler)?;
                Ok(Found::Compiling)
            }
            (None, None) => Err(LoadError::NotCompiled { cache: cache.folder().to_owned(), file: file.to_owned() }),
        }
    }

    /// Returns the compiled component, if it is loaded or in the cache.
    async fn mapped(&self, digest: Digest) -> Result<Option<Arc<Compiled>>, LoadError> {
        if let Some(compiled) = self.0.loaded.lock().get(&digest).and_then(Weak::upgrade) {
            return Ok(Some(compiled));
        }
        let own = self.clone();
        // Hundreds of megabytes are read to see that they are not damaged.
        let mapped = tokio::task::spawn_blocking(move || {
            own.0.cache.as_ref().and_then(|cache| cache.module(&own.0.engine, digest))
        });
        let Some(module) = mapped.await? else { return Ok(None) };
        let compiled = Arc::new(Compiled::link(digest, &module, &self.0.linker)?);
        let mut loaded = self.0.loaded.lock();
        loaded.retain(|_, compiled| compiled.strong_count() > 0);
        loaded.insert(digest, Arc::downgrade(&compiled));
        Ok(Some(compiled))
    }

    pub(super) fn memo(&self) -> &Memo {
        &self.0.memo
    }

    /// Waits until one of few renderings at once can begin.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so a permit is always granted in the end.
        Arc::clone(&self.0.slots).acquire_owned().await.ok()
    }

    /// Counts a rendering.
    pub(super) fn count(&self) {
        self.0.renderings.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes renderers yield at every tick until the returned value is dropped.
    pub(super) fn wake(&self) -> Awake<'_> {
        self.0.ticker.wake()
    }
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { cache: None, compiler: None, at_once: 1, kept: 32 << 20 }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Rendering>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |rendering: &mut Rendering| &mut rendering.wasi)?;
    clock::add_to_linker(&mut linker, |rendering: &Rendering| &rendering.clock)?;
    Ok(linker)
}

/// The configuration of the engine.
pub(crate) fn config() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + HOST_STACK)
        // Features that no renderer needs are code that untrusted guests could reach.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // The same output on every machine, down to the bits of a NaN.
        .cranelift_nan_canonicalization(true)
        // The place of a trap in the source, which is not shown, is a third of the compiled form.
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None);
    if cfg!(target_os = "linux") {
        // Code for every machine of this architecture, not only for this one: what was compiled into an image runs
        // wherever the image does.
        config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    }
    Ok(config)
}
