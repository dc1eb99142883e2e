//! The WASI that a renderer finds: its own name, its input, somewhere to write to, and nothing else of the world.

use mizzen_model::Digest;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;

use super::clock::Clock;
use super::pipe::Pipe;

/// Bytes of standard error that are kept: it says why a renderer gave up. Stops one that complains without end from filling memory.
const STDERR: usize = 4 << 10;

/// Lines of standard error that are told: of its beginning, where Go says why it ends before it says where, and of its end, where others do.
const LINES: [usize; 2] = [2, 3];

/// What one rendering works with, as we see it.
pub(crate) struct Streams {
    pub(crate) stdout: Pipe,
    pub(crate) stderr: Pipe,
    pub(crate) clock: Clock,
}

// === impl Streams ===

impl Streams {
    pub(crate) fn new(output: u64) -> Self {
        let output = usize::try_from(output).unwrap_or(usize::MAX);
        Self { stdout: Pipe::whole(output), stderr: Pipe::ends(STDERR), clock: Clock::default() }
    }

    /// As the guest sees it: no files, no sockets, no environment, one argument, a time of its own, and randomness that is the same for the
    /// same input.
    pub(crate) fn wasi(&self, input: Vec<u8>) -> WasiP1Ctx {
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

    /// The first and the last lines of standard error, in one.
    pub(crate) fn said(&self) -> String {
        let stderr = self.stderr.take();
        let text = String::from_utf8_lossy(&stderr);
        let mut lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let [first, last] = LINES;
        if lines.len() > first + last {
            lines.splice(first..lines.len() - last, ["…"]);
        }
        crate::text::line(lines.join(" | "), STDERR)
    }
}
