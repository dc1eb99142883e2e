//! Standard output and standard error of a plugin: each line is a log line.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use mizzen_model::read::Level;
use parking_lot::Mutex;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::limits::{LOG_LINE, WRITE};
use crate::lines::Lines;

/// A stream whose lines are logged. Clones share everything.
#[derive(Clone)]
pub(super) struct Stream(Arc<Inner>);

struct Inner {
    level: Level,
    lines: Lines,
    /// The beginning of a line without its end.
    begun: Mutex<Vec<u8>>,
}

impl Stream {
    pub(super) fn new(level: Level, lines: Lines) -> Self {
        Self(Arc::new(Inner { level, lines, begun: Mutex::default() }))
    }
}

impl Inner {
    fn log(&self, line: &[u8]) {
        if !line.is_empty() {
            self.lines.write(self.level, String::from_utf8_lossy(line).into_owned(), &[]);
        }
    }
}

impl Drop for Inner {
    /// A last line may have no end.
    fn drop(&mut self) {
        self.log(&std::mem::take(&mut *self.begun.lock()));
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Inner { level, lines, begun } = &*self.0;
        if *level == Level::Warn {
            lines.keep_stderr(&bytes);
        }
        let mut begun = begun.lock();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            // Of a longer line only the beginning is logged.
            let room = (LOG_LINE + 1).saturating_sub(begun.len());
            begun.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.0.log(begun.trim_ascii_end());
                begun.clear();
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Used by WASI 0.3 alone, which the host does not offer.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}
