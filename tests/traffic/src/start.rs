//! Starts istiod and Envoy: writes their files, and waits until they are ready.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mizzen_testcluster::{PortError, Running};

use crate::request::get;

/// Both are ready within seconds, except on a machine that compiles at the same time.
const TIMEOUT: Duration = Duration::from_mins(2);
/// The time between two requests.
const INTERVAL: Duration = Duration::from_millis(50);

/// Why a program did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No port is free.
    #[error(transparent)]
    Ports(#[from] PortError),
    /// A file can't be written, or a program can't be run.
    #[error("can't {what}")]
    Io {
        /// The attempted operation.
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// A program ended, or did not become ready.
    #[error("{program} is not ready ({why}); its last lines:\n{tail}")]
    NotReady {
        /// Its name.
        program: &'static str,
        /// How it ended, or its last response.
        why: String,
        /// Its last lines.
        tail: String,
    },
}

/// Waits until a program responds with 200 at a path.
pub(crate) async fn ready(program: &mut Running<&'static str>, port: u16, path: &str) -> Result<(), StartError> {
    let since = Instant::now();
    loop {
        let why = match (get(port, "localhost", path).await, program.exited()) {
            (_, Some(status)) => format!("it ended with {status}"),
            (Ok(response), None) if response.status == 200 => return Ok(()),
            (_, None) if since.elapsed() < TIMEOUT => {
                tokio::time::sleep(INTERVAL).await;
                continue;
            }
            (Ok(response), None) => format!("after {TIMEOUT:?} it responds with {}", response.status),
            (Err(error), None) => format!("after {TIMEOUT:?}: {error}"),
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
