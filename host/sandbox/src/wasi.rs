//! A virtual WASI 0.2, for plugins in languages whose runtimes can't do without one.
//!
//! It gives no authority: there are no files, arguments, variables or sockets, and a guest that asks for one gets
//! WASI's own error. What it writes to its standard streams is logged. Its wall clock is the contract's `clock`, and
//! recorded as such; time passes when it waits, at once. What is random to it is decided by its request. So a call's
//! outcome depends on nothing that is not recorded, as without WASI.

mod clocks;
mod streams;

use mizzen_model::Digest;
use mizzen_model::read::Level;
use rand::SeedableRng;
use rand::rngs::StdRng;
use wasmtime::Result;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use self::clocks::Clock;
use self::streams::Stream;
use crate::guest::Guest;
use crate::limits::{RANDOM, WASI_RESOURCES};

/// The interfaces of WASI that the host has, by the beginning of their names.
pub(crate) const OFFERED: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// The WASI of one call, made when the guest first uses it: most guests never do.
pub(crate) struct Lazy {
    seed: Digest,
    made: Option<Box<Wasi>>,
}

struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    clock: Clock,
}

/// Lets components import WASI.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    clocks::add_to_linker(linker)
}

impl Lazy {
    /// `seed` decides what is random.
    pub(crate) fn new(seed: Digest) -> Self {
        Self { seed, made: None }
    }
}

impl Guest {
    fn wasi(&mut self) -> &mut Wasi {
        let Self { wasi: Lazy { seed, made }, reads, lines, .. } = self;
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

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let Wasi { context, table, .. } = self.wasi();
        WasiCtxView { ctx: context, table }
    }
}

#[cfg(test)]
mod tests;
