//! A virtual WASI 0.2, for plugins in languages whose runtimes can't do without one.
//!
//! It gives no authority: there are no files, arguments, variables or sockets, and a guest that asks for one gets
//! WASI's own error. What it writes to its standard streams is logged. Its wall clock is the contract's `clock`, and
//! recorded as such; time passes when it waits, at once. What is random to it is decided by its request. So a call's
//! outcome depends on nothing that is not recorded, as without WASI.

pub(crate) mod clocks;
mod streams;

use std::sync::Arc;

use mizzen_model::read::Level;
use mizzen_model::{Digest, Reads};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use self::clocks::{Clock, Time};
use self::streams::Stream;
use crate::limits::{RANDOM, WASI_RESOURCES};
use crate::lines::Lines;

/// The interfaces of WASI that the host has, by the beginning of their names.
pub(crate) const OFFERED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// The WASI of one call, made when the guest first uses it: most guests never do.
pub(crate) struct Lazy {
    seed: Digest,
    reads: Arc<dyn Reads>,
    lines: Lines,
    made: Option<Box<Wasi>>,
}

pub(crate) struct Wasi {
    pub(crate) context: WasiCtx,
    pub(crate) table: ResourceTable,
    clock: Clock,
}

impl Lazy {
    /// `seed` decides what is random.
    pub(crate) fn new(seed: Digest, reads: Arc<dyn Reads>, lines: Lines) -> Self {
        Self { seed, reads, lines, made: None }
    }

    pub(crate) fn get(&mut self) -> &mut Wasi {
        let Self { seed, reads, lines, made } = self;
        made.get_or_insert_with(|| {
            let seed = seed.bytes();
            let mut insecure = [0; 16];
            insecure.copy_from_slice(&seed[..16]);
            let clock = Clock::new(reads.clone());
            let mut context = WasiCtxBuilder::new();
            context
                .stdout(Stream::new(Level::Info, lines.clone()))
                .stderr(Stream::new(Level::Warn, lines.clone()))
                .wall_clock(clock.clone())
                .monotonic_clock(clock.clone())
                .secure_random(StdRng::from_seed(seed))
                .insecure_random(StdRng::from_seed(seed))
                .insecure_random_seed(u128::from_le_bytes(insecure))
                .max_random_size(RANDOM)
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false);
            let mut table = ResourceTable::new();
            table.set_max_capacity(WASI_RESOURCES);
            Box::new(Wasi { context: context.build(), table, clock })
        })
    }
}

impl Wasi {
    /// The monotonic clock, and the table of what waits for it.
    pub(crate) fn time(&mut self) -> Time<'_> {
        Time { table: &mut self.table, clock: &self.clock }
    }
}

#[cfg(test)]
mod tests;
