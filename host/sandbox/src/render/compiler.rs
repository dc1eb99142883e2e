//! Compiling in another process, with a limit: a renderer of a hundred megabytes takes gigabytes and most of a minute, which a host that
//! runs everything else must not spend in its own memory.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mizzen_model::Digest;
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};

/// Threads that compile. Each takes memory of its own, and whoever waits for a renderer is not everything that runs on the machine.
const THREADS: usize = 4;

/// Bytes of a failed compiler's last words.
const WORDS: usize = 2048;

/// The process that compiles: `program args… --memory BYTES --cache FOLDER FILE`. It must call [`crate::compile`] and say on standard error
/// what went wrong.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// What it is to be told first.
    pub args: Vec<OsString>,
    /// Bytes of its address space. Stops a component that is built to be hard to compile from taking the machine's memory.
    pub memory: u64,
}

/// What is being compiled, one at a time, and how it ended.
#[derive(Clone)]
pub(crate) struct Compiling(Arc<Inner>);

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
    /// It was, and all the same it was not found in the cache.
    Done,
    Failed(String),
}

// === impl Compiler ===

impl Compiler {
    /// Compiles a file into a cache; gives what the process said. The error is a sentence.
    pub async fn run(&self, file: &Path, cache: &Path) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .args(["--memory".into(), self.memory.to_string()])
            .arg("--cache")
            .arg(cache)
            .arg(file)
            // It needs nothing of what we know, and least of all credentials.
            .env_clear()
            .env("RAYON_NUM_THREADS", threads().to_string())
            // The allocator (jemalloc, in `mizzen`) would else keep address space that is free again, and some for each thread; that counts.
            .env("_RJEM_MALLOC_CONF", "narenas:2,retain:false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let done = command.output().await.map_err(|error| format!("{}: {error}", self.program.display()))?;
        if done.status.success() {
            return Ok(crate::text::line(String::from_utf8_lossy(&done.stdout).into_owned(), WORDS));
        }
        let words = String::from_utf8_lossy(&done.stderr);
        let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if NO_MEMORY.iter().any(|words_for_it| words.contains(words_for_it)) {
            let mebibytes = self.memory >> 20;
            return Err(format!(
                "compiling it takes more than {mebibytes} MiB of memory: allow more with `--compile-memory`"
            ));
        }
        Err(if last.is_empty() {
            format!("its compiler ended with {}: compile it ahead with `mizzen plugin compile`", done.status)
        } else {
            crate::text::line(last.to_owned(), WORDS)
        })
    }
}

/// How Rust's allocator, its library and the system's say that there is no more memory; the last of a thread that gets no stack.
const NO_MEMORY: [&str; 4] =
    ["memory allocation of", "out of memory", "annot allocate memory", "Resource temporarily unavailable"];

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(THREADS)
}

// === impl Compiling ===

impl Compiling {
    pub(crate) fn new(compiler: Compiler, cache: PathBuf) -> Self {
        let inner =
            Inner { compiler, cache, turn: Semaphore::new(1), states: Mutex::default(), ended: watch::channel(0).0 };
        Self(Arc::new(inner))
    }

    /// Has a file compiled, unless that is under way. An error when it was tried with these very bytes, and why it failed.
    pub(crate) fn start(&self, digest: Digest, file: &Path) -> Result<(), String> {
        let known = self.states().insert(digest, State::Running);
        match known {
            None => {}
            Some(State::Running) => return Ok(()),
            Some(State::Failed(why)) => {
                self.states().insert(digest, State::Failed(why.clone()));
                return Err(why);
            }
            Some(State::Done) => {
                self.states().insert(digest, State::Done);
                return Err(format!("was compiled, and was not found in the cache {}", self.0.cache.display()));
            }
        }
        let (own, file) = (self.clone(), file.to_owned());
        tokio::spawn(async move {
            let turn = own.0.turn.acquire().await;
            tracing::info!(file = %file.display(), "compiling a renderer, which takes a minute; those who ask for it are asked again then");
            let started = Instant::now();
            let result = own.0.compiler.run(&file, &own.0.cache).await;
            drop(turn);
            let seconds = started.elapsed().as_secs();
            let state = match result {
                Ok(said) => {
                    tracing::info!(file = %file.display(), seconds, said, "compiled a renderer");
                    State::Done
                }
                Err(why) => {
                    tracing::error!(file = %file.display(), seconds, "{why}");
                    State::Failed(why)
                }
            };
            own.states().insert(digest, state);
            own.0.ended.send_modify(|ended| *ended += 1);
        });
        Ok(())
    }

    /// Forgets how compiling something ended: it is there, and if it should be gone one day, it can be compiled again.
    pub(crate) fn found(&self, digest: Digest) {
        self.states().remove(&digest);
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.ended.subscribe()
    }

    /// Waits until nothing is being compiled.
    pub(crate) async fn settled(&self) {
        let mut changes = self.changes();
        while self.states().values().any(|state| matches!(state, State::Running)) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn states(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, State>> {
        self.0.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
