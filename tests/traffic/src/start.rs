//! How istiod and Envoy are started: their files are written, and they are waited for.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mizzen_testcluster::{PortError, Running};

use crate::request::get;

/// Both are there within seconds, except on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port is free.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A file can't be written, or a program can't be run.
    #[error("can't {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A program ended, or did not become ready.
    #[error("{program} is not ready ({why}); it said last:\n{tail}")]
    NotReady {
        /// Which.
        program: &'static str,
        /// What is known of it.
        why: String,
        /// Its last lines.
        tail: String,
    },
}

/// Waits until a program says so itself.
pub(crate) async fn ready(program: &mut Running<&'static str>, port: u16, path: &str) -> Result<(), StartError> {
    let since = Instant::now();
    loop {
        let why = match (get(port, "localhost", path).await, program.exited()) {
            (_, Some(status)) => format!("it ended with {status}"),
            (Ok(answer), None) if answer.status == 200 => return Ok(()),
            (_, None) if since.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            (Ok(answer), None) => format!("after {PATIENCE:?} it answers {}", answer.status),
            (Err(error), None) => format!("after {PATIENCE:?}: {error}"),
        };
        return Err(StartError::NotReady { program: program.program(), why, tail: program.tail() });
    }
}

pub(crate) fn written(path: PathBuf, text: &str) -> Result<PathBuf, StartError> {
    fs::write(&path, text).map_err(failed("write a configuration"))?;
    Ok(path)
}

pub(crate) fn failed(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::Io { what, source }
}
