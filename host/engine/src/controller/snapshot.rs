//! The state of the engine, for statuses, metrics and the terminal.

use std::fmt;

use mizzen_model::Digest;

use super::nodes::State;
use crate::observe::{Intent, Verb};
use crate::pace::PaceSnapshot;
use crate::settings::Role;

/// The state of the engine at one time.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Whether there has been a configuration, even an empty one.
    pub configured: bool,
    /// Whether it reconciles.
    pub role: Role,
    /// Every reconciler, in the order in which they were first configured.
    pub nodes: Vec<NodeSnapshot>,
    /// Keys in the workqueue.
    pub queued: usize,
    /// Keys that are being reconciled.
    pub active: usize,
    /// Keys whose plugin is to be called again when their cooldown ends.
    pub cooling_down: usize,
    /// Distinct reads in the index.
    pub reads: usize,
}

/// The state of one reconciler.
#[derive(Clone, Debug)]
pub struct NodeSnapshot {
    /// Its name.
    pub name: String,
    /// How far its start has come.
    pub state: State,
    /// The digest of the component that runs.
    pub digest: Option<Digest>,
    /// How many subjects it has.
    pub subjects: usize,
    /// For how many of them it is ready.
    pub ready: usize,
    /// For how many of them its last reconcile failed.
    pub failed: usize,
    /// One of those errors.
    pub last_error: Option<String>,
    /// What one of its subjects waits for, by the order.
    pub gated: Option<String>,
    /// Whether that has lasted for so short a time that it is not reported yet.
    pub gated_unreported: bool,
    /// What it would write, in mode `Plan`; `None`: it is in another mode.
    pub planned: Option<PlanCounts>,
    /// The state of its paces.
    pub paces: Vec<PaceSnapshot>,
    /// How many of its keys are queued.
    pub queued: usize,
    /// Whether none of its keys is queued or active.
    pub idle: bool,
}

/// How many objects a reconciler in mode `Plan` would write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanCounts {
    /// Objects to create.
    pub create: usize,
    /// Objects of other parties to adopt.
    pub adopt: usize,
    /// Objects to change.
    pub change: usize,
    /// Objects to delete.
    pub delete: usize,
}

// === impl PlanCounts ===

impl PlanCounts {
    /// The counts of one subject's intents.
    pub(super) fn of(intents: &[Intent]) -> Self {
        let mut counts = Self::default();
        for intent in intents {
            match intent.verb {
                Verb::Create => counts.create += 1,
                Verb::Adopt => counts.adopt += 1,
                Verb::Delete => counts.delete += 1,
                Verb::Change | Verb::Status | Verb::Finalizer => counts.change += 1,
            }
        }
        counts
    }
}

impl fmt::Display for PlanCounts {
    /// Adoptions are rare, and named only if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, adopt, change, delete } = self;
        write!(f, "{create} to create, ")?;
        if *adopt > 0 {
            write!(f, "{adopt} to adopt, ")?;
        }
        write!(f, "{change} to change, {delete} to delete")
    }
}

impl std::iter::Sum for PlanCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, own| Self {
            create: sum.create + own.create,
            adopt: sum.adopt + own.adopt,
            change: sum.change + own.change,
            delete: sum.delete + own.delete,
        })
    }
}
