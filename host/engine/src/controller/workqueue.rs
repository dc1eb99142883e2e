//! The workqueue, in client-go's words: keys are added, at once or after a delay; got, one at a
//! time within the limits; and done. A key that is added while it is active is processed again
//! afterwards; no key is active twice.
//!
//! ```text
//!   add ──────────────► queued ─ get ─► active ─ done ─┬─► (nothing)
//!    │ invalidating,      ▲  ▲            │            ├─► add: what came in while it was active
//!    ▼ in a cooldown      │  │            │            └─► retry, requeue_after
//!   cooling ──────────────┘  └─ delayed ◄─┴─ skip              │
//!                                  ▲───────────────────────────┘
//! ```

mod cooldown;
mod lanes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use self::cooldown::Cooldown;
use self::lanes::Lanes;
use super::timers::Timers;
use super::trigger::Trigger;
use crate::backoff;
use crate::plugin::{Key, NodeId};
use crate::settings::{Concurrency, Delays};

/// The time between two retries of one reconciler: thousands of keys that fail together must not be retried at once.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The keys to be processed.
pub(super) struct Workqueue {
    lanes: Lanes,
    items: HashMap<Key, Item>,
    /// Keys to be added at a time.
    delayed: Timers<Key>,
    /// Keys whose plugin is to be called when their cooldown ends.
    cooling: Timers<Key>,
    /// Of each reconciler, the time of its next retry when many keys fail.
    retries: HashMap<NodeId, Instant>,
    delays: Delays,
}

/// What the workqueue knows of a key.
#[derive(Default)]
struct Item {
    phase: Phase,
    /// Whether the plugin must be called.
    invalidated: bool,
    /// What came in while the key was active.
    pending: Vec<Trigger>,
    /// Failures in a row.
    failures: u32,
    cooldown: Cooldown,
    /// When the plugin wants to be called again even if nothing changes. A reconcile without a call
    /// neither hastens nor defers it.
    call_at: Option<Instant>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    Queued(Box<Entry>),
    Active,
    /// The key was removed while active: its result is void, and it stays blocked until then.
    Removed,
}

/// Since when and why a key is queued.
struct Entry {
    since: Instant,
    trigger: Trigger,
}

/// A key to be processed now.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) key: Key,
    /// The first of the triggers that enqueued the key.
    pub(super) trigger: Trigger,
    /// How long the key was queued.
    pub(super) waited: Duration,
    /// Whether the plugin must be called, whatever its last outcome depended on.
    pub(super) invalidated: bool,
    /// Whether the plugin is to be called when its cooldown ends.
    pub(super) cooling: bool,
    /// When the key was to be added again; restored by [`Workqueue::skip`].
    delayed: Option<Instant>,
}

/// One call of the plugin.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallMade {
    pub(super) cost: Duration,
    pub(super) requeue_after: Option<Duration>,
}

// === impl Workqueue ===

impl Workqueue {
    pub(super) fn new(limits: Concurrency, delays: Delays) -> Self {
        Self {
            lanes: Lanes::new(limits),
            items: HashMap::new(),
            delayed: Timers::default(),
            cooling: Timers::default(),
            retries: HashMap::new(),
            delays,
        }
    }

    /// Enqueues a key: at once, when its cooldown ends if the plugin must be called, or after it is
    /// done if it is active.
    pub(super) fn add(&mut self, key: Key, trigger: Trigger, now: Instant) {
        let item = self.items.entry(key).or_default();
        if matches!(item.phase, Phase::Active | Phase::Removed) {
            item.pending.push(trigger);
        } else if let (true, Some(until)) = (trigger.invalidates(), item.cooldown.until(now)) {
            if self.cooling.get(&key).is_none() {
                self.cooling.set(key, until);
            }
        } else {
            self.enqueue(key, trigger, now);
        }
    }

    /// Enqueues a key at `at`, or earlier if an earlier time is set.
    pub(super) fn add_after(&mut self, key: Key, at: Instant) {
        if self.delayed.get(&key).is_none_or(|earlier| at < earlier) {
            self.delayed.set(key, at);
        }
    }

    fn enqueue(&mut self, key: Key, trigger: Trigger, now: Instant) {
        let item = self.items.entry(key).or_default();
        item.invalidated |= trigger.invalidates();
        match item.phase {
            Phase::Idle => {
                item.phase = Phase::Queued(Box::new(Entry { since: now, trigger }));
                self.lanes.push(key);
            }
            Phase::Queued(_) => {}
            Phase::Active | Phase::Removed => item.pending.push(trigger),
        }
    }

    /// The next key to be processed; it is active until [`done`](Self::done) or
    /// [`skip`](Self::skip).
    pub(super) fn get(&mut self, now: Instant) -> Option<Work> {
        self.expire(now);
        let key = self.lanes.next()?;
        let item = self.items.entry(key).or_default();
        let Phase::Queued(entry) = std::mem::replace(&mut item.phase, Phase::Active) else {
            // Only queued keys are in a lane.
            self.lanes.done(key);
            return None;
        };
        let Entry { since, trigger } = *entry;
        Some(Work {
            key,
            trigger,
            waited: now.saturating_duration_since(since),
            invalidated: std::mem::take(&mut item.invalidated),
            cooling: self.cooling.get(&key).is_some(),
            delayed: self.delayed.cancel(&key),
        })
    }

    /// Enqueues the keys whose time has come.
    fn expire(&mut self, now: Instant) {
        while let Some(key) = self.delayed.expire(now) {
            let item = self.items.entry(key).or_default();
            let is_call_due = item.call_at.take_if(|at| *at <= now).is_some();
            let trigger = match item.failures {
                _ if is_call_due => Trigger::RequeueAfter,
                0 => Trigger::Requeue,
                _ => Trigger::Retry,
            };
            self.enqueue(key, trigger, now);
        }
        while let Some(key) = self.cooling.expire(now) {
            self.enqueue(key, Trigger::CooldownOver, now);
        }
        if self.delays == Delays::Skipped && self.lanes.is_idle() {
            for key in self.cooling.drain() {
                self.enqueue(key, Trigger::CooldownOver, now);
            }
        }
    }

    /// Ends the processing of a key that can't run now: what [`get`](Self::get) took is as before.
    pub(super) fn skip(&mut self, work: &Work, now: Instant) {
        let Work { key, invalidated, delayed, .. } = *work;
        let Some(pending) = self.done(key, None, now) else { return };
        if let Some(item) = self.items.get_mut(&key) {
            item.invalidated |= invalidated;
        }
        if let Some(at) = delayed {
            self.add_after(key, at);
        }
        for trigger in pending {
            self.add(key, trigger, now);
        }
    }

    /// Ends the processing of a key. Returns what came in meanwhile, for the caller to
    /// [`add`](Self::add) what the reconcile has not dealt with; `None`: the key was removed
    /// meanwhile, and the reconcile's result is void.
    pub(super) fn done(&mut self, key: Key, call: Option<CallMade>, now: Instant) -> Option<Vec<Trigger>> {
        self.lanes.done(key);
        let item = self.items.get_mut(&key)?;
        let pending = std::mem::take(&mut item.pending);
        if matches!(std::mem::take(&mut item.phase), Phase::Removed) {
            self.items.remove(&key);
            for trigger in pending {
                self.add(key, trigger, now);
            }
            return None;
        }
        if let Some(CallMade { cost, requeue_after }) = call {
            item.cooldown.start(cost, now);
            item.call_at = requeue_after.map(|after| now + after);
            // The call has seen what changed before it.
            self.cooling.cancel(&key);
        }
        Some(pending)
    }

    /// Ends the retries of a key that succeeded, and schedules the call that its plugin wants.
    pub(super) fn forget(&mut self, key: Key) {
        let Some(item) = self.items.get_mut(&key) else { return };
        item.failures = 0;
        if let Some(at) = item.call_at {
            self.add_after(key, at);
        }
    }

    /// Schedules a retry of a key that failed, with growing delays of at most `cap`, and later if many keys of its
    /// reconciler fail.
    pub(super) fn retry(&mut self, key: Key, cap: Duration, now: Instant) {
        let item = self.items.entry(key).or_default();
        item.failures = item.failures.saturating_add(1);
        let due = now + backoff::delay(item.failures, cap, key.subject.0);
        let next = self.retries.entry(key.node).or_insert(now);
        *next = (*next).max(now) + RETRY_INTERVAL;
        self.delayed.set(key, due.max(*next));
    }

    /// Has the plugin called when the key runs next.
    pub(super) fn invalidate(&mut self, key: Key) {
        self.items.entry(key).or_default().invalidated = true;
    }

    /// Whether the plugin must be called when the key runs next.
    pub(super) fn is_invalidated(&self, key: Key) -> bool {
        self.items.get(&key).is_some_and(|item| item.invalidated)
    }

    /// Removes a key that is gone.
    pub(super) fn remove(&mut self, key: Key) {
        self.delayed.cancel(&key);
        self.cooling.cancel(&key);
        match self.items.get_mut(&key).map(|item| std::mem::take(item).phase) {
            Some(Phase::Active | Phase::Removed) => {
                self.items.insert(key, Item { phase: Phase::Removed, ..Item::default() });
                return;
            }
            Some(Phase::Queued(_)) => self.lanes.remove(key),
            Some(Phase::Idle) | None => {}
        }
        self.items.remove(&key);
    }

    /// Whether a key is active.
    pub(super) fn is_active(&self, key: Key) -> bool {
        self.items.get(&key).is_some_and(|item| matches!(item.phase, Phase::Active | Phase::Removed))
    }

    /// Whether a key is queued or active.
    pub(super) fn is_pending(&self, key: Key) -> bool {
        self.items.get(&key).is_some_and(|item| !matches!(item.phase, Phase::Idle))
    }

    /// When the next delayed or cooling key is due.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        [self.delayed.next(), self.cooling.next()].into_iter().flatten().min()
    }

    /// Whether there is nothing to process. A cooldown is work that is left, since something has
    /// changed; a delayed key only waits for time to pass.
    pub(super) fn is_idle(&self) -> bool {
        self.lanes.is_idle() && self.cooling.len() == 0
    }

    /// Whether nothing of one reconciler is queued or active.
    pub(super) fn is_idle_for(&self, node: NodeId) -> bool {
        self.lanes.is_idle_for(node)
    }

    pub(super) fn queued(&self) -> usize {
        self.lanes.queued()
    }

    /// How many keys of one reconciler are queued.
    pub(super) fn queued_of(&self, node: NodeId) -> usize {
        self.lanes.queued_of(node)
    }

    pub(super) fn active(&self) -> usize {
        self.lanes.active()
    }

    /// How many keys are to be processed again when their cooldown ends.
    pub(super) fn cooling_down(&self) -> usize {
        self.cooling.len()
    }
}

// === impl Work ===

impl Work {
    /// Whether the key is retried after a failure.
    pub(super) fn is_retry(&self) -> bool {
        self.trigger == Trigger::Retry
    }
}
