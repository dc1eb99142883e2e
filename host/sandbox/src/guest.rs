//! The state of one call: what the guest may use up, and what it reads through.

use std::sync::Arc;

use mizzen_config::Limits;
use mizzen_model::{Digest, Reads};
use wasmtime::component::ResourceTable;
use wasmtime::{Error, Result};

use crate::limits::{ARGUMENTS, CURSORS, TABLE};
use crate::lines::Lines;
use crate::metered::{Bounds, Limit, Meter, Metered};
use crate::wasi::Lazy;

/// What the store of a call holds.
pub(crate) struct Guest {
    /// Grants, records and carries out the guest's host calls.
    pub(crate) reads: Arc<dyn Reads>,
    /// The lists that the guest has open.
    pub(crate) cursors: ResourceTable,
    /// The lines that the guest logs.
    pub(crate) lines: Lines,
    /// The guest's WASI, made when it is first used.
    pub(crate) wasi: Lazy,
    meter: Meter,
    host_calls: u64,
    max_host_calls: u64,
    /// Bytes of the arguments of all reads so far.
    arguments: usize,
}

impl Guest {
    /// `seed` decides what the guest finds random.
    pub(crate) fn new(reads: Arc<dyn Reads>, limits: Limits, seed: Digest) -> Self {
        let mut cursors = ResourceTable::new();
        cursors.set_max_capacity(CURSORS);
        let meter = Meter::new(bounds(limits));
        let lines = Lines::new(reads.clone());
        Self {
            wasi: Lazy::new(seed, reads.clone(), lines.clone()),
            lines,
            reads,
            cursors,
            meter,
            host_calls: 0,
            max_host_calls: limits.reads,
            arguments: 0,
        }
    }

    /// Counts a host call.
    ///
    /// # Errors
    /// When there were too many; the error ends the guest.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.host_calls += 1;
        if self.host_calls > self.max_host_calls {
            self.meter.meet(Limit::HostCalls(self.max_host_calls));
            return Err(Error::msg("too many host calls"));
        }
        Ok(())
    }

    /// Counts the bytes of the arguments of a read, which the host records.
    ///
    /// # Errors
    /// When there were too many; the error ends the guest.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<()> {
        self.arguments = self.arguments.saturating_add(bytes);
        if self.arguments > ARGUMENTS {
            return Err(Error::msg(format!("the arguments of its reads have more than {} MiB", ARGUMENTS >> 20)));
        }
        Ok(())
    }
}

impl Metered for Guest {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

/// What a call may use up by the limits of its plugin.
pub(crate) fn bounds(limits: Limits) -> Bounds {
    Bounds { memory: limits.memory, table: TABLE, time: limits.time, transfer: limits.outcome }
}
