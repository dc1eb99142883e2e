//! A renderer that was compiled and fits: what the engine asks.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use mizzen_config::RenderLimits;
use mizzen_model::{AccessError, Digest, Render, RenderError, Rendered};
use wasmtime::{Engine, ExternType, InstancePre, Linker, Module};

use super::answers::Answer;
use super::call::{self, Rendering};
use super::engine::Renderers;
use crate::error::LoadError;

/// Bytes of a component. Stops a file that is no renderer from keeping the compiler busy for an hour.
pub(super) const MOST: u64 = 512 << 20;

/// What begins a component of the component model. It could speak WASI 0.2; that would be a second WASI that strangers can reach, for
/// renderers that nobody has: what KRM functions are written in compiles to preview 1.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// A component, compiled and linked; shared by all who run it under one name or another.
pub(crate) struct Compiled {
    digest: Digest,
    pre: InstancePre<Rendering>,
}

/// A renderer with its name and limits. Cheap to clone.
#[derive(Clone)]
pub struct Renderer {
    renderers: Renderers,
    compiled: Arc<Compiled>,
    name: Arc<str>,
    limits: RenderLimits,
}

/// Digests of files that have been read and have not changed since: a hundred megabytes need not be read at each look.
#[derive(Default)]
pub(crate) struct Files(Mutex<HashMap<PathBuf, (Stamp, Digest)>>);

/// What tells that a file may have changed: inode, size, time of the last change of anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

// === impl Compiled ===

impl Compiled {
    pub(crate) fn link(digest: Digest, module: &Module, linker: &Linker<Rendering>) -> Result<Self, LoadError> {
        let start = |ty: ExternType| ty.func().is_some_and(|func| func.params().len() + func.results().len() == 0);
        if !module.get_export("_start").is_some_and(start) {
            return Err(LoadError::Renderer("it exports no `_start`: build it as a command, not as a library".into()));
        }
        let foreign: Vec<_> =
            module.imports().map(|import| import.module()).filter(|from| *from != "wasi_snapshot_preview1").collect();
        if let Some(from) = foreign.first() {
            let why = format!("it imports from `{}`, which this host does not offer", from.escape_debug());
            return Err(LoadError::Renderer(format!("{why}: build it for WASI preview 1")));
        }
        let pre = linker.instantiate_pre(module).map_err(|error| LoadError::Renderer(format!("{error:#}")))?;
        Ok(Self { digest, pre })
    }

    pub(crate) fn pre(&self) -> &InstancePre<Rendering> {
        &self.pre
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.pre.module().engine()
    }
}

// === impl Renderer ===

impl Renderer {
    pub(crate) fn new(renderers: Renderers, compiled: Arc<Compiled>, name: &str, limits: RenderLimits) -> Self {
        Self { renderers, compiled, name: name.into(), limits }
    }

    /// Runs it. What it came to, and whether it will always come to that.
    async fn run(&self, function_config: &str) -> (Answer, bool) {
        self.renderers.count();
        let started = Instant::now();
        let done = call::render(&self.compiled, self.limits, function_config).await;
        let (renderer, millis) = (&*self.name, u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        match done.result {
            Ok(objects) => {
                tracing::info!(renderer, millis, objects = objects.len(), memory = done.bytes, "rendered");
                for warning in done.warnings {
                    tracing::warn!(renderer, "{warning}");
                }
                (Ok(objects.into()), true)
            }
            Err(ended) => {
                let sentence = ended.sentence(renderer, &done.said);
                tracing::warn!(renderer, millis, memory = done.bytes, "{sentence}");
                (Err(ended.told(sentence)), ended.is_final())
            }
        }
    }
}

#[async_trait]
impl Render for Renderer {
    fn digest(&self) -> Digest {
        self.compiled.digest
    }

    async fn render(&self, function_config: &str) -> Result<Rendered, RenderError> {
        let question = (self.digest(), Digest::of(function_config));
        if let Some(answer) = self.renderers.answers().get(&question) {
            return answer;
        }
        let flight = self.renderers.flight(question).lock_owned().await;
        if let Some(answer) = self.renderers.answers().get(&question) {
            return answer;
        }
        let slot = self.renderers.slot().await;
        let (own, function_config) = (self.clone(), function_config.to_owned());
        // In a task of its own: it goes on when whoever asked gives up meanwhile, so that his next question has its answer.
        let rendering = tokio::spawn(async move {
            let _awake = own.renderers.wake();
            let (answer, is_final) = own.run(&function_config).await;
            if is_final {
                own.renderers.answers().put(question, answer.clone());
            }
            drop((flight, slot));
            answer
        });
        let failed = |error: tokio::task::JoinError| {
            AccessError::Unavailable(format!("renderer `{}` could not be run: {error}", self.name))
        };
        rendering.await.map_err(failed)?
    }
}

// === impl Files ===

impl Files {
    /// The digest of a file.
    pub(crate) async fn digest(&self, file: &Path) -> Result<Digest, LoadError> {
        let read = |source| LoadError::Read { file: file.to_owned(), source };
        let metadata = tokio::fs::metadata(file).await.map_err(read)?;
        if metadata.len() > MOST {
            return Err(LoadError::Compile(format!("it has {} bytes; {MOST} are the most", metadata.len())));
        }
        let stamp = Stamp(metadata.ino(), metadata.len(), metadata.ctime(), metadata.ctime_nsec());
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, digest)) = known().get(file).filter(|(own, _)| *own == stamp) {
            return Ok(*digest);
        }
        let path = file.to_owned();
        let looked = tokio::task::spawn_blocking(move || look(&path));
        let (is_component, digest) = looked.await.map_err(|error| LoadError::Host(error.to_string()))?.map_err(read)?;
        if is_component {
            let why = "it is of the component model: a renderer is a WASI preview 1 command, as e.g. `GOOS=wasip1 go build` makes one";
            return Err(LoadError::Renderer(why.into()));
        }
        known().insert(file.to_owned(), (stamp, digest));
        Ok(digest)
    }
}

/// Whether a file is a component of the component model, and its digest.
fn look(file: &Path) -> std::io::Result<(bool, Digest)> {
    let (mut file, mut begins) = (File::open(file)?, Vec::new());
    file.by_ref().take(COMPONENT.len() as u64).read_to_end(&mut begins)?;
    Ok((begins == COMPONENT, Digest::of_reader(begins.as_slice().chain(file))?))
}
