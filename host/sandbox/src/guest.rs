//! The state of one call: what the guest may use up, and through whom it reads.

use std::sync::Arc;

use mizzen_config::Limits;
use mizzen_model::{CallError, Reads};
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};

use crate::engine::TABLE;

/// Lists a guest can have open at once. Stops a guest from having the host keep lists without end.
pub(crate) const CURSORS: usize = 64;

/// What a store holds.
pub(crate) struct Guest {
    pub(crate) reads: Arc<dyn Reads>,
    pub(crate) table: ResourceTable,
    /// Lines logged so far.
    pub(crate) lines: u32,
    /// The last line logged as an error.
    pub(crate) last_error: Option<String>,
    limits: Limits,
    host_calls: u64,
    /// The limit that was met first: a guest traps in many ways once it is refused something, and this is why.
    met: Option<CallError>,
}

// === impl Guest ===

impl Guest {
    pub(crate) fn new(reads: Arc<dyn Reads>, limits: Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(CURSORS);
        Self { reads, table, lines: 0, last_error: None, limits, host_calls: 0, met: None }
    }

    /// Counts a host call; an error, which ends the guest, when it has made too many.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.host_calls += 1;
        if self.host_calls > self.limits.reads {
            return Err(self.meet(CallError::HostCalls(self.limits.reads)));
        }
        Ok(())
    }

    /// The limit that was met, if any.
    pub(crate) fn met(&self) -> Option<&CallError> {
        self.met.as_ref()
    }

    fn meet(&mut self, limit: CallError) -> wasmtime::Error {
        let error = wasmtime::Error::new(limit.clone());
        self.met.get_or_insert(limit);
        error
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired as u64 <= self.limits.memory;
        if !fits {
            self.meet(CallError::Memory(self.limits.memory));
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let fits = desired <= TABLE;
        if !fits {
            self.meet(CallError::Table(TABLE as u64));
        }
        Ok(fits)
    }
}
