//! A plugin's time in WASI: the contract's clock, which stands still during a call, and advances when the plugin waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mizzen_model::Reads;
use wasmtime::Result;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The monotonic clock when a call begins, in nanoseconds. Not zero, which Go's runtime takes for a missing clock.
const STARTED: u64 = 1_000_000_000;

/// Nanoseconds by which reading the monotonic clock advances it, so that a loop until a later time ends.
const STEP: u64 = 1_000;

/// The time of one call. Clones share it.
#[derive(Clone)]
pub(super) struct Clock {
    reads: Arc<dyn Reads>,
    /// Nanoseconds that the guest has waited.
    elapsed: Arc<AtomicU64>,
}

impl Clock {
    pub(super) fn new(reads: Arc<dyn Reads>) -> Self {
        Self { reads, elapsed: Arc::default() }
    }

    fn elapsed(&self) -> u64 {
        self.elapsed.load(Ordering::Relaxed)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.reads.now()).saturating_add(Duration::from_nanos(self.elapsed()))
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        STARTED.saturating_add(self.elapsed.fetch_add(STEP, Ordering::Relaxed))
    }
}

/// The type of [`Time`] for a linker.
pub(crate) struct HasTime;

impl HasData for HasTime {
    type Data<'a> = Time<'a>;
}

/// The monotonic clock of a guest, in place of the one that waits.
pub(crate) struct Time<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) clock: &'a Clock,
}

/// A point in time that a guest waits for, in nanoseconds since the call began.
struct Timer {
    due: u64,
    clock: Clock,
}

#[async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {
        self.clock.elapsed.fetch_max(self.due, Ordering::Relaxed);
    }
}

impl Time<'_> {
    fn timer(&mut self, due: u64) -> Result<Resource<DynPollable>> {
        let timer = self.table.push(Timer { due, clock: self.clock.clone() })?;
        subscribe(self.table, timer)
    }
}

/// Waits as a guest does.
#[cfg(test)]
pub(super) async fn wait(clock: &Clock, nanoseconds: u64) {
    let due = clock.elapsed().saturating_add(nanoseconds);
    Timer { due, clock: clock.clone() }.ready().await;
}

impl monotonic_clock::Host for Time<'_> {
    fn now(&mut self) -> Result<u64> {
        Ok(HostMonotonicClock::now(self.clock))
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(HostMonotonicClock::resolution(self.clock))
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        self.timer(when.saturating_sub(STARTED))
    }

    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        self.timer(self.clock.elapsed().saturating_add(duration))
    }
}
