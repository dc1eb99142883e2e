//! What is remembered of one reconciler and one subject between two reconciles.

use std::collections::HashMap;
use std::time::Duration;

use mizzen_model::{ObjectRef, Readiness};
use tokio::time::Instant;
use tokio_util::time::delay_queue;

use crate::memo::Memory;

/// Whether a reconcile is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is not.
    #[default]
    Idle,
    /// It is: what happens meanwhile is kept for afterwards.
    Running,
}

/// Something that happened to what a reconcile depends on.
#[derive(Clone, Debug)]
pub(crate) struct Wake {
    /// Which object, in which resource version; `None`: something else.
    pub(crate) cause: Option<(ObjectRef, u64)>,
    /// Whether the plugin read it, so that it must be asked again.
    pub(crate) ask: bool,
}

/// The memory of one key.
#[derive(Default)]
pub(crate) struct Cell {
    pub(crate) phase: Phase,
    /// Whether the plugin must be asked, whatever its memo says.
    pub(crate) ask: bool,
    /// What happened while it was running.
    pub(crate) pending: Vec<Wake>,
    pub(crate) memory: Memory,
    /// What it last came to; `None`: nothing yet.
    pub(crate) readiness: Option<Readiness>,
    /// The error it last ended with.
    pub(crate) error: Option<String>,
    /// How often in a row it went wrong.
    pub(crate) failures: u32,
    /// Whether it is held back, and whether that has been said.
    pub(crate) held: Held,
    /// Whether it lets its subject go; `None`: it was not asked yet.
    pub(crate) consents: Option<bool>,
    pub(crate) timer: Option<delay_queue::Key>,
    /// When its plugin wants to be asked again even if nothing changes. A look before that neither hurries it nor puts it off.
    pub(crate) ask_at: Option<Instant>,
    /// What its last call cost.
    pub(crate) cost: Option<Duration>,
    /// Until when it rests from that.
    pub(crate) rests_until: Option<Instant>,
    /// Set while something has changed that it is to be asked about once it has rested.
    pub(crate) rest: Option<delay_queue::Key>,
}

/// Whether a key is held back by the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is not.
    #[default]
    No,
    /// It waits for somebody's answer: nothing was written about it, nor will be for long.
    Patiently,
    /// It is, and may be let through any moment: nothing was written about it.
    Quietly,
    /// It has been for long enough to say so.
    Openly,
}

// === impl Wake ===

impl Wake {
    /// For another look, without asking the plugin.
    pub(crate) fn look() -> Self {
        Self { cause: None, ask: false }
    }

    /// Whether a reconcile that wrote these versions has dealt with it. What the plugin read is settled by exactly what was written: an older
    /// version may be somebody else's, made after the plugin looked and before we wrote.
    pub(crate) fn is_settled_by(&self, wrote: &HashMap<ObjectRef, Vec<u64>>) -> bool {
        let Some((object, version)) = &self.cause else { return false };
        let is = |own: &u64| if self.ask { own == version } else { own >= version };
        wrote.get(object).is_some_and(|own| own.iter().any(is))
    }
}
