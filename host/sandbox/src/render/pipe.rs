//! Standard output and standard error of a renderer, in memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::limits::WRITE;

/// A pipe that a guest writes to. Clones share everything.
#[derive(Clone)]
pub(super) struct Pipe(Arc<Inner>);

struct Inner {
    most: usize,
    /// What happens to output beyond `most` bytes.
    beyond: Beyond,
    overflowed: AtomicBool,
    written: Mutex<VecDeque<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    /// The guest traps.
    Trap,
    /// The middle of its output is removed.
    Drop,
}

impl Pipe {
    /// Makes a pipe that traps a guest which writes more than so many bytes.
    pub(super) fn whole(most: usize) -> Self {
        Self::with(most, Beyond::Trap)
    }

    /// Makes a pipe that keeps the first and the last bytes of what a guest writes, half of `most` each.
    pub(super) fn ends(most: usize) -> Self {
        Self::with(most, Beyond::Drop)
    }

    fn with(most: usize, beyond: Beyond) -> Self {
        Self(Arc::new(Inner { most, beyond, overflowed: AtomicBool::new(false), written: Mutex::default() }))
    }

    /// Whether the guest was trapped for writing too much.
    pub(super) fn overflowed(&self) -> bool {
        self.0.overflowed.load(Ordering::Relaxed)
    }

    /// Takes the output.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.written.lock()).into()
    }
}

impl OutputStream for Pipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let Inner { most, beyond, overflowed, written } = &*self.0;
        let mut written = written.lock();
        if *beyond == Beyond::Trap && written.len() + bytes.len() > *most {
            overflowed.store(true, Ordering::Relaxed);
            return Err(StreamError::Trap(wasmtime::Error::msg("too much output")));
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
        Ok(WRITE)
    }
}

#[async_trait]
impl Pollable for Pipe {
    async fn ready(&mut self) {}
}

impl StdoutStream for Pipe {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Used by WASI 0.3 alone, which the host does not offer.
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
    fn too_much_output_traps_the_guest_and_is_not_kept() {
        let mut pipe = Pipe::whole(4);
        assert!(pipe.write(Bytes::from_static(b"abc")).is_ok());
        assert!(matches!(pipe.write(Bytes::from_static(b"de")), Err(StreamError::Trap(_))));
        assert_eq!((pipe.overflowed(), pipe.take()), (true, b"abc".to_vec()));
    }

    #[test]
    fn the_beginning_and_the_end_of_the_output_are_kept() {
        let mut pipe = Pipe::ends(4);
        for part in [&b"abc"[..], b"defg", b"hi"] {
            pipe.write(Bytes::copy_from_slice(part)).unwrap();
        }
        assert_eq!((pipe.overflowed(), pipe.take()), (false, b"abhi".to_vec()));
    }
}
