//! The log lines of one call, whether a guest logs them or writes them to its standard streams.

use std::sync::Arc;

use mizzen_model::Reads;
use mizzen_model::read::Level;
use parking_lot::Mutex;

use crate::limits::{LOG_LINE, LOG_LINES, STDERR};
use crate::text;

/// Last lines of standard error that messages show. The runtime of Python adds three of its own to a traceback.
const LAST_LINES: usize = 8;

/// Logs a call's lines, and keeps those that say why the call fails. Clones share everything.
#[derive(Clone)]
pub(crate) struct Lines {
    reads: Arc<dyn Reads>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// Lines logged so far.
    lines: u32,
    /// The last line logged as an error.
    last_error: Option<String>,
    /// The first and the last bytes of standard error.
    stderr: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(reads: Arc<dyn Reads>) -> Self {
        Self { reads, kept: Arc::default() }
    }

    /// Logs one line, unless the call has logged too many. The fields must be fit for a log already.
    pub(crate) fn write(&self, level: Level, message: String, fields: &[(String, String)]) {
        let message = text::line(message, LOG_LINE);
        let mut kept = self.kept.lock();
        if level == Level::Error {
            // Also beyond the limit of lines: it may be why the guest traps.
            kept.last_error = Some(message.clone());
        }
        kept.lines = kept.lines.saturating_add(1);
        let lines = kept.lines;
        drop(kept);
        if lines <= LOG_LINES {
            self.reads.log(level, &message, fields);
        } else if lines == LOG_LINES + 1 {
            self.reads.log(Level::Warn, &format!("more than {LOG_LINES} lines in one call: the rest is omitted"), &[]);
        }
    }

    /// Keeps what was written to standard error: its beginning and its end.
    pub(crate) fn keep_stderr(&self, bytes: &[u8]) {
        let stderr = &mut self.kept.lock().stderr;
        for part in bytes.chunks(STDERR) {
            stderr.extend_from_slice(part);
            let surplus = stderr.len().saturating_sub(STDERR);
            if surplus > 0 {
                stderr.drain(STDERR / 2..STDERR / 2 + surplus);
            }
        }
    }

    /// Returns what the guest said last about an error: the first and last lines of its standard error, or else the
    /// last line that it logged as an error.
    pub(crate) fn last_words(&self) -> Option<LastWords> {
        let kept = self.kept.lock();
        let stderr = text::ends(&String::from_utf8_lossy(&kept.stderr), LAST_LINES, STDERR);
        if stderr.is_empty() { kept.last_error.clone().map(LastWords::Logged) } else { Some(LastWords::Wrote(stderr)) }
    }
}

/// What a guest said before it failed, fit for a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LastWords {
    /// The last line that it logged as an error.
    #[error("after it logged: {0}")]
    Logged(String),
    /// Lines of its standard error.
    #[error("after it wrote: {0}")]
    Wrote(String),
}
