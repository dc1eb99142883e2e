//! Gates: what a key waits for, and since when.

use std::time::Duration;

use mizzen_model::Predecessor;
use tokio::time::Instant;

/// How long a key is gated before its subject's status reports it: at a start all keys are, for a
/// moment.
const UNREPORTED: Duration = Duration::from_secs(5);

/// The same while a predecessor's first outcome is pending: a renderer may have to map 160 MB for
/// it.
const AWAITING: Duration = Duration::from_secs(30);

/// Whether the predecessors let a key run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// They do, with this.
    Open(Vec<Predecessor>),
    /// One is not ready or not configured.
    Closed(String),
    /// One has had no outcome since the host started.
    Unanswered(String),
    /// One is queued or active for the same subject: its next outcome counts, not its last.
    Pending(String),
}

/// How long a key has been gated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gated {
    /// It waits for an outcome of a predecessor, which takes long at times.
    AwaitingPredecessor { report_at: Instant },
    /// It may run any moment.
    Unreported { report_at: Instant },
    /// For so long that its subject's status reports it.
    Reported,
}

// === impl Gated ===

impl Gated {
    /// The state after a check at `now` found the gate closed; `last` is the state before.
    pub(super) fn next(last: Option<Self>, gate: &Gate, now: Instant) -> Self {
        let awaits = matches!(gate, Gate::Unanswered(_) | Gate::Pending(_));
        let gated = match last {
            Some(Self::AwaitingPredecessor { .. }) if !awaits => Self::Unreported { report_at: now + UNREPORTED },
            Some(last) => last,
            None if awaits => Self::AwaitingPredecessor { report_at: now + AWAITING },
            None => Self::Unreported { report_at: now + UNREPORTED },
        };
        match gated {
            Self::AwaitingPredecessor { report_at } | Self::Unreported { report_at } if report_at <= now => {
                Self::Reported
            }
            gated => gated,
        }
    }
}
