//! The WASI that a renderer finds: its own name, its input and its output, and nothing else.

use mizzen_model::Digest;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;

use super::clock::Clock;
use super::limits::STDERR;
use super::pipe::Pipe;

/// Last lines of standard error that messages show.
const LAST_LINES: usize = 3;

/// The streams and the clock of one rendering, as the host sees them.
pub(super) struct Streams {
    pub(super) stdout: Pipe,
    stderr: Pipe,
    pub(super) clock: Clock,
}

impl Streams {
    pub(super) fn new(output: u64) -> Self {
        let output = usize::try_from(output).unwrap_or(usize::MAX);
        Self { stdout: Pipe::whole(output), stderr: Pipe::ends(STDERR), clock: Clock::default() }
    }

    /// Returns them as the guest sees them: no files, no sockets, no environment, one argument, a time of its own, and
    /// randomness that is the same for the same input.
    pub(super) fn wasi(&self, input: Vec<u8>) -> WasiP1Ctx {
        let seed = Digest::of(&input).bytes();
        let mut insecure = [0; 16];
        insecure.copy_from_slice(&seed[..16]);
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg("renderer")
            .stdin(MemoryInputPipe::new(input))
            .stdout(self.stdout.clone())
            .stderr(self.stderr.clone())
            .wall_clock(self.clock.clone())
            .monotonic_clock(self.clock.clone())
            .secure_random(StdRng::from_seed(seed))
            .insecure_random(StdRng::from_seed(seed))
            .insecure_random_seed(u128::from_le_bytes(insecure))
            .allow_tcp(false)
            .allow_udp(false);
        wasi.build_p1()
    }

    /// Returns the first and the last lines of standard error, in one.
    pub(super) fn stderr_lines(&self) -> String {
        let stderr = self.stderr.take();
        crate::text::ends(&String::from_utf8_lossy(&stderr), LAST_LINES, STDERR)
    }
}
