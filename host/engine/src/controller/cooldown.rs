//! Rest: a call that costs much is not made for every single change of what it read.
//!
//! While three hundred workloads roll, something changes many times in a second; a call that reads ten thousand Pods takes half of
//! one. So a key rests after a call for a small multiple of what that cost. What changes meanwhile has it asked once, when it has
//! rested; a change of its subject or configuration does not wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::controller::Controller;
use crate::controller::cell::{Cell, Phase, Wake};
use crate::cost::cooldown;
use crate::plugin::Key;

// === impl Cell ===

impl Cell {
    /// Notes that a call was made: what changed before it needs no other.
    pub(crate) fn called(&mut self, cost: Duration) {
        // One slow call among quick ones says more about the machine than about the plugin.
        let usual = self.cost.map_or(cost, |before| before.min(cost));
        self.cost = Some(cost);
        self.rests_until = Some(Instant::now() + cooldown(usual)).filter(|until| *until > Instant::now());
    }

    fn rests(&self) -> Option<Instant> {
        self.rests_until.filter(|until| *until > Instant::now())
    }
}

// === impl Controller ===

impl Controller {
    /// Something that a key depends on has changed.
    pub(crate) fn wake(&mut self, key: Key, wake: Wake) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        if cell.phase == Phase::Running {
            cell.pending.push(wake);
        } else if let (true, Some(until)) = (wake.ask, cell.rests()) {
            if cell.rest.is_none() {
                cell.rest = Some(self.rests.insert_at(key, until));
            }
        } else {
            cell.ask |= wake.ask;
            self.queue.push(key);
        }
    }

    /// A key has rested, and something changed meanwhile.
    pub(crate) fn rested(&mut self, key: Key) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        cell.rest = None;
        self.wake(key, Wake { cause: None, ask: true });
    }

    /// Nothing is to be asked any more for what changed while a key rested.
    pub(crate) fn end_rest(&mut self, key: Key) {
        if let Some(timer) = self.cells.get_mut(&key).and_then(|cell| cell.rest.take()) {
            self.rests.try_remove(&timer);
        }
    }
}
