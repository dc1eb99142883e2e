//! Standard output and standard error of a renderer, in memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Bytes that a guest may hand over at once.
const PERMIT: usize = 64 << 10;

/// A pipe that a guest writes to.
#[derive(Clone)]
pub(crate) struct Pipe(Arc<Inner>);

struct Inner {
    most: usize,
    /// What happens beyond `most`.
    beyond: Beyond,
    overflowed: AtomicBool,
    written: Mutex<VecDeque<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// The guest ends.
    End,
    /// The middle of what it wrote is forgotten.
    Forget,
}

// === impl Pipe ===

impl Pipe {
    /// Ends a guest that writes more than this many bytes.
    pub(crate) fn whole(most: usize) -> Self {
        Self::with(most, Beyond::End)
    }

    /// Keeps the first and the last bytes of what a guest writes, half of `most` each, however much that is.
    pub(crate) fn ends(most: usize) -> Self {
        Self::with(most, Beyond::Forget)
    }

    fn with(most: usize, beyond: Beyond) -> Self {
        Self(Arc::new(Inner { most, beyond, overflowed: AtomicBool::new(false), written: Mutex::default() }))
    }

    /// Whether the guest wrote more than it may.
    pub(crate) fn overflowed(&self) -> bool {
        self.0.overflowed.load(Ordering::Relaxed)
    }

    /// Takes what was written.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.written.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl OutputStream for Pipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Inner { most, beyond, overflowed, written } = &*self.0;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        if *beyond == Beyond::End && written.len() + bytes.len() > *most {
            overflowed.store(true, Ordering::Relaxed);
            return Err(StreamError::Trap(wasmtime::Error::msg("too much was written")));
        }
        written.extend(&bytes);
        let surplus = written.len().saturating_sub(*most);
        if surplus > 0 {
            written.drain(most / 2..most / 2 + surplus);
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Pipe {
    async fn ready(&mut self) {}
}

impl StdoutStream for Pipe {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Asked for by WASI 0.3 alone, which is not here.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl IsTerminal for Pipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_ends_the_guest_and_nothing_of_it_is_kept() {
        let mut pipe = Pipe::whole(4);
        assert!(pipe.write(Bytes::from_static(b"abc")).is_ok());
        assert!(matches!(pipe.write(Bytes::from_static(b"de")), Err(StreamError::Trap(_))));
        assert_eq!((pipe.overflowed(), pipe.take()), (true, b"abc".to_vec()));
    }

    #[test]
    fn of_what_is_said_the_beginning_and_the_end_are_kept() {
        let mut pipe = Pipe::ends(4);
        for part in [&b"abc"[..], b"defg", b"hi"] {
            pipe.write(Bytes::copy_from_slice(part)).unwrap();
        }
        assert_eq!((pipe.overflowed(), pipe.take()), (false, b"abhi".to_vec()));
    }
}
