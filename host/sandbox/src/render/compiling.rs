//! What is being compiled, one component at a time, and how compiling ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use mizzen_model::Digest;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use super::compiler::Compiler;
use super::error::CompilerError;

/// Compiles components in the background. Clones share everything.
#[derive(Clone)]
pub(super) struct Compiling(Arc<Inner>);

struct Inner {
    compiler: Compiler,
    cache: PathBuf,
    turn: Semaphore,
    states: Mutex<HashMap<Digest, State>>,
    ended: watch::Sender<u64>,
}

#[derive(Clone)]
enum State {
    Running,
    /// The process succeeded, but the component may still be missing in the cache.
    Compiled,
    Failed(Arc<CompilerError>),
}

impl Compiling {
    pub(super) fn new(compiler: Compiler, cache: PathBuf) -> Self {
        let (turn, ended) = (Semaphore::new(1), watch::channel(0).0);
        Self(Arc::new(Inner { compiler, cache, turn, states: Mutex::default(), ended }))
    }

    /// Compiles a file in the background, unless it is being compiled.
    ///
    /// # Errors
    /// When compiling these very bytes failed before.
    pub(super) fn start(&self, digest: Digest, file: &Path) -> Result<(), Arc<CompilerError>> {
        match self.0.states.lock().entry(digest) {
            Entry::Vacant(entry) => {
                entry.insert(State::Running);
            }
            Entry::Occupied(entry) => {
                return match entry.get() {
                    State::Running => Ok(()),
                    State::Compiled => Err(Arc::new(CompilerError::NotCached(self.0.cache.clone()))),
                    State::Failed(error) => Err(Arc::clone(error)),
                };
            }
        }
        let (own, file) = (self.clone(), file.to_owned());
        tokio::spawn(async move {
            let state = own.compile(&file).await;
            own.0.states.lock().insert(digest, state);
            own.0.ended.send_modify(|ended| *ended += 1);
        });
        Ok(())
    }

    async fn compile(&self, file: &Path) -> State {
        let _turn = self.0.turn.acquire().await;
        let started = Instant::now();
        let path = file.display();
        tracing::info!(
            file = %path, "compiling a renderer, which takes a minute; then plugins that need it are called again"
        );
        let compiled = self.0.compiler.run(file, &self.0.cache).await;
        let seconds = started.elapsed().as_secs();
        match compiled {
            Ok(output) => {
                tracing::info!(file = %path, seconds, output, "compiled a renderer");
                State::Compiled
            }
            Err(error) => {
                tracing::error!(
                    file = %path, seconds, error = &error as &(dyn Error + 'static), "compiling a renderer failed"
                );
                State::Failed(Arc::new(error))
            }
        }
    }

    /// Forgets how compiling a component ended, as it was found in the cache: if it disappears, it is compiled again.
    pub(super) fn found(&self, digest: Digest) {
        self.0.states.lock().remove(&digest);
    }

    /// Changes whenever compiling a component ended.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.ended.subscribe()
    }

    /// Waits until nothing is being compiled.
    pub(super) async fn settled(&self) {
        let mut changes = self.changes();
        while self.0.states.lock().values().any(|state| matches!(state, State::Running)) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
