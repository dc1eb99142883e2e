//! Compiling in another process, with a limit: a renderer of a hundred megabytes takes gigabytes and most of a minute,
//! which a host that runs everything else must not spend in its own memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::error::CompilerError;
use super::limits::{COMPILER_MESSAGE, COMPILER_THREADS};
use crate::text::line;

/// How Rust's allocator, its library and the system's report that there is no more memory; the last is of a thread that
/// gets no stack.
const NO_MEMORY: [&str; 4] =
    ["memory allocation of", "out of memory", "annot allocate memory", "Resource temporarily unavailable"];

/// The process that compiles: `program args… --memory BYTES --cache FOLDER FILE`. It must call [`crate::compile`], and
/// report errors on standard error.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments.
    pub args: Vec<OsString>,
    /// Bytes of its address space. Stops a component that is hard to compile from taking the machine's memory.
    pub memory: u64,
}

impl Compiler {
    /// Compiles a file into a cache. Returns what the process wrote to standard output.
    ///
    /// # Errors
    /// When the process can't be started, fails, or needs more memory than it may have.
    pub async fn run(&self, file: &Path, cache: &Path) -> Result<String, CompilerError> {
        let output = self.command(file, cache).output().await;
        let output = output.map_err(|source| CompilerError::Start { program: self.program.clone(), source })?;
        if output.status.success() {
            return Ok(line(String::from_utf8_lossy(&output.stdout).into_owned(), COMPILER_MESSAGE));
        }
        Err(self.failure(&output))
    }

    fn command(&self, file: &Path, cache: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .args(["--memory".into(), self.memory.to_string()])
            .arg("--cache")
            .arg(cache)
            .arg(file)
            // It needs nothing of this environment, least of all credentials.
            .env_clear()
            .env("RAYON_NUM_THREADS", threads().to_string())
            // By default the allocator (jemalloc, in `mizzen`) keeps address space that is free, and some for each
            // thread; that would count.
            .env("_RJEM_MALLOC_CONF", "narenas:2,retain:false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    fn failure(&self, output: &Output) -> CompilerError {
        let stderr = String::from_utf8_lossy(&output.stderr);
        if NO_MEMORY.iter().any(|words| stderr.contains(words)) {
            return CompilerError::Memory { mebibytes: self.memory >> 20 };
        }
        match stderr.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(last) => CompilerError::Reported(line(last.to_owned(), COMPILER_MESSAGE)),
            None => CompilerError::Ended(output.status),
        }
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(COMPILER_THREADS)
}
