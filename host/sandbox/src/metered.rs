//! Stores that meter their guests, for plugins and renderers alike.

use std::time::{Duration, Instant};

use wasmtime::{Engine, Error, ResourceLimiter, Result, Store, StoreContextMut, Trap, UpdateDeadline};

/// What a guest may use up in one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of linear memory.
    pub(crate) memory: u64,
    /// Elements of tables.
    pub(crate) table: usize,
    /// Time, from when the store is made.
    pub(crate) time: Duration,
    /// Bytes that a guest hands over to the host in one host call, or returns.
    pub(crate) transfer: u64,
}

/// A limit that a guest has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Bytes of linear memory.
    Memory(u64),
    /// Elements of a table.
    Table(u64),
    /// Host calls.
    HostCalls(u64),
}

/// Measures a guest's memory and tables, and keeps the limit that the guest met first.
pub(crate) struct Meter {
    bounds: Bounds,
    peak: u64,
    met: Option<Limit>,
}

/// The state of a store with a meter in it.
pub(crate) trait Metered: Send + 'static {
    /// The meter of this store.
    fn meter(&mut self) -> &mut Meter;
}

/// Why a run stopped before it returned.
pub(crate) enum Stop {
    /// Its time was over.
    Time,
    /// The guest trapped or failed otherwise. A guest traps in many ways once something is refused to it, and `met` is
    /// the limit that was met first, if any.
    Failed { error: Error, met: Option<Limit> },
}

/// Makes a store in which a guest yields at every tick and is interrupted when its time is over.
pub(crate) fn store<S: Metered>(engine: &Engine, state: S, bounds: Bounds) -> Store<S> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| state.meter());
    // What a guest hands over is copied into the host, whatever the limit of the guest's own memory.
    store.set_hostcall_fuel(usize::try_from(bounds.transfer).unwrap_or(usize::MAX));
    store.set_epoch_deadline(1);
    let deadline = Instant::now() + bounds.time;
    store.epoch_deadline_callback(move |_: StoreContextMut<'_, S>| {
        Ok(if Instant::now() < deadline { UpdateDeadline::Yield(1) } else { UpdateDeadline::Interrupt })
    });
    store
}

/// Runs a guest within its time, host calls included: ticks do not interrupt those.
pub(crate) async fn run<S: Metered, T>(
    store: &mut Store<S>,
    run: impl AsyncFnOnce(&mut Store<S>) -> Result<T>,
) -> std::result::Result<T, Stop> {
    let time = store.data_mut().meter().bounds.time;
    match tokio::time::timeout(time, run(store)).await {
        Ok(Ok(returned)) => Ok(returned),
        Ok(Err(error)) if error.downcast_ref() == Some(&Trap::Interrupt) => Err(Stop::Time),
        Ok(Err(error)) => Err(Stop::Failed { error, met: store.data_mut().meter().met }),
        Err(_) => Err(Stop::Time),
    }
}

impl Meter {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, peak: 0, met: None }
    }

    /// The most memory that the guest had, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// Remembers that a limit was met.
    pub(crate) fn meet(&mut self, limit: Limit) {
        self.met.get_or_insert(limit);
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired as u64 <= self.bounds.memory;
        if fits {
            self.peak = self.peak.max(desired as u64);
        } else {
            self.meet(Limit::Memory(self.bounds.memory));
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired <= self.bounds.table;
        if !fits {
            self.meet(Limit::Table(self.bounds.table as u64));
        }
        Ok(fits)
    }
}
