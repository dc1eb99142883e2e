//! Rest: a call that costs much is not made for every single change of what it read.
//!
//! While three hundred workloads roll, something changes many times in a second; a call that reads ten thousand Pods takes half of
//! one. So a key rests after a call for a small multiple of what that cost. What changes meanwhile has it asked once, when it has
//! rested; a change of its subject or configuration does not wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::cell::{Cell, Phase, Wake};
use crate::controller::Controller;
use crate::node::Key;

/// Calls below this cost nothing worth a rest; a fresh instance answers in less than a tenth of it.
const CHEAP: Duration = Duration::from_millis(10);

/// How many times its cost a call is rested from: of one plugin's changes, no more than a sixth of its time goes into calls.
const TIMES: u32 = 5;

/// The longest rest.
const LONGEST: Duration = Duration::from_secs(30);

/// From which cost on a plugin is not asked again within one reconcile, when its own writes changed what it reads.
const EXPENSIVE: Duration = Duration::from_millis(100);

/// How long a key rests after a call of this cost.
fn rest(cost: Duration) -> Duration {
    if cost < CHEAP { Duration::ZERO } else { (cost * TIMES).min(LONGEST) }
}

/// Whether a call costs so much that even the writer's own writes are no reason to make another at once.
pub(crate) fn is_expensive(cost: Duration) -> bool {
    cost >= EXPENSIVE
}

// === impl Cell ===

impl Cell {
    /// Notes that a call was made: what changed before it needs no other.
    pub(crate) fn called(&mut self, cost: Duration) {
        // One slow call among quick ones says more about the machine than about the plugin.
        let usual = self.cost.map_or(cost, |before| before.min(cost));
        self.cost = Some(cost);
        self.rests_until = Some(Instant::now() + rest(usual)).filter(|until| *until > Instant::now());
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
