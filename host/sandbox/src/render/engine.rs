//! The engine that all renderers share: what is loaded, what is being compiled, and how many run at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mizzen_config::RenderLimits;
use mizzen_model::Digest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::{Config, Engine, Linker, OptLevel};

use super::answers::{Answers, Question};
use super::call::Rendering;
use super::clock;
use super::compiler::{Compiler, Compiling};
use super::component::{Compiled, Files, Renderer};
use crate::cache::Cache;
use crate::error::LoadError;
use crate::ticker::{Awake, Ticker};

/// Bytes of a renderer's stack. Stops recursion without end from eating the host's memory.
const STACK: usize = 1 << 20;

/// Bytes of stack that are left for the host's own functions.
const HOST_STACK: usize = 1 << 20;

/// How renderers are run.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// Folder of compiled components. Renderers are mapped from it; without one there are none.
    pub cache: Option<PathBuf>,
    /// Who compiles what is not in the cache; `None`: nobody, it must be compiled ahead.
    pub compiler: Option<Compiler>,
    /// Renderings at once; further ones wait, which does not count as their time. Each may take hundreds of megabytes.
    pub at_once: usize,
    /// Bytes of answers that are kept.
    pub answers: usize,
}

/// Loads renderers. Cheap to clone.
#[derive(Clone)]
pub struct Renderers(Arc<Inner>);

struct Inner {
    engine: Engine,
    linker: Linker<Rendering>,
    cache: Option<Cache>,
    compiling: Option<Compiling>,
    files: Files,
    loaded: Mutex<HashMap<Digest, Weak<Compiled>>>,
    answers: Answers,
    flights: Mutex<HashMap<Question, Weak<tokio::sync::Mutex<()>>>>,
    slots: Arc<Semaphore>,
    renderings: AtomicU64,
    ticker: Ticker,
}

/// What became of a component that was to be loaded.
#[derive(Clone)]
pub enum Load {
    /// It can be asked.
    Ready(Renderer),
    /// It is being compiled; [`Renderers::changes`] tells when that is over.
    Compiling,
}

// === impl Renderers ===

impl Renderers {
    /// Sets up an engine, and a thread that ticks whenever renderers run.
    pub fn new(options: RenderOptions) -> Result<Self, LoadError> {
        let host = |error: wasmtime::Error| LoadError::Host(format!("{error:#}"));
        let engine = config().and_then(|config| Engine::new(&config)).map_err(host)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_async(&mut linker, |rendering: &mut Rendering| &mut rendering.wasi)
            .map_err(host)?;
        clock::add_to_linker(&mut linker, |rendering: &Rendering| &rendering.clock).map_err(host)?;
        let compiling =
            options.compiler.zip(options.cache.clone()).map(|(compiler, cache)| Compiling::new(compiler, cache));
        let cache = options.cache.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let ticker = Ticker::start(engine.clone())
            .map_err(|error| LoadError::Host(format!("no thread for the ticker: {error}")))?;
        Ok(Self(Arc::new(Inner {
            engine,
            linker,
            cache,
            compiling,
            files: Files::default(),
            loaded: Mutex::default(),
            answers: Answers::new(options.answers),
            flights: Mutex::default(),
            slots: Arc::new(Semaphore::new(options.at_once)),
            renderings: AtomicU64::new(0),
            ticker,
        })))
    }

    /// Loads a component from a file: maps it from the cache, or has it compiled, which takes a minute and another process. `name` is what
    /// it is called when it does something wrong.
    pub async fn load(&self, name: &str, file: &Path, limits: RenderLimits) -> Result<Load, LoadError> {
        let digest = self.0.files.digest(file).await?;
        let Some(cache) = &self.0.cache else {
            let why = "renderers are mapped from the cache, and there is none: give a folder with `--cache`";
            return Err(LoadError::Host(why.into()));
        };
        if let Some(compiled) = self.mapped(digest).await? {
            if let Some(compiling) = &self.0.compiling {
                compiling.found(digest);
            }
            return Ok(Load::Ready(Renderer::new(self.clone(), compiled, name, limits)));
        }
        let Some(compiling) = &self.0.compiling else {
            let cache = cache.folder().display();
            let why =
                format!("is not in the cache {cache}: `mizzen plugin compile --cache {cache} {}`", file.display());
            return Err(LoadError::Compile(why));
        };
        compiling.start(digest, file).map_err(LoadError::Compile)?;
        Ok(Load::Compiling)
    }

    /// Changes whenever compiling something has come to an end, good or bad.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.compiling.as_ref().map_or_else(|| watch::channel(0).1, Compiling::changes)
    }

    /// Waits until nothing is being compiled.
    pub async fn settled(&self) {
        if let Some(compiling) = &self.0.compiling {
            compiling.settled().await;
        }
    }

    /// The compiled component, if it is loaded or in the cache.
    async fn mapped(&self, digest: Digest) -> Result<Option<Arc<Compiled>>, LoadError> {
        let loaded = || self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = loaded().get(&digest).and_then(Weak::upgrade) {
            return Ok(Some(compiled));
        }
        let own = self.clone();
        // Hundreds of megabytes are read to see that they are whole.
        let mapped = tokio::task::spawn_blocking(move || {
            own.0.cache.as_ref().and_then(|cache| cache.module(&own.0.engine, digest))
        });
        let Some(module) = mapped.await.map_err(|error| LoadError::Host(error.to_string()))? else { return Ok(None) };
        let compiled = Arc::new(Compiled::link(digest, &module, &self.0.linker)?);
        let mut loaded = loaded();
        loaded.retain(|_, compiled| compiled.strong_count() > 0);
        loaded.insert(digest, Arc::downgrade(&compiled));
        Ok(Some(compiled))
    }

    pub(crate) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    /// Waits for its turn: one of few at once.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so there is always a permit in the end.
        Arc::clone(&self.0.slots).acquire_owned().await.ok()
    }

    /// How often anything was rendered: what was answered from what is kept does not count.
    pub fn renderings(&self) -> u64 {
        self.0.renderings.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.0.renderings.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes renderers give way at every tick until what this gives is dropped.
    pub(crate) fn wake(&self) -> Awake<'_> {
        self.0.ticker.wake()
    }

    /// What those who ask the same at the same time share: the first of them has it rendered, the others wait.
    pub(crate) fn flight(&self, question: Question) -> Arc<tokio::sync::Mutex<()>> {
        let mut flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&question).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::default();
        flights.insert(question, Arc::downgrade(&flight));
        flight
    }
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { cache: None, compiler: None, at_once: 1, answers: 32 << 20 }
    }
}

pub(crate) fn config() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .async_stack_size(STACK + HOST_STACK)
        // Nothing that no renderer needs: each is code that untrusted guests could reach.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // The same answer on every machine, down to the bits of a NaN.
        .cranelift_nan_canonicalization(true)
        // A third of what would be kept on disk and mapped: where in the source a trap was, which nobody is shown.
        .generate_address_map(false)
        .wasm_backtrace_max_frames(None);
    if cfg!(target_os = "linux") {
        // Code for every machine of this architecture, not for this very one: what was compiled ahead, with an image, runs wherever that
        // is put.
        config.target(&format!("{}-unknown-linux-gnu", std::env::consts::ARCH))?;
    }
    Ok(config)
}
