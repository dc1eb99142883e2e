//! How far the patches and deletions of an outcome are.

use std::collections::{BTreeMap, BTreeSet};

use crate::pace::PaceStatus;

/// The state of the patches and deletions of an outcome.
#[derive(Debug, Default)]
pub(crate) struct Disruptions {
    /// The paces that have something to report.
    pub(crate) paces: Vec<PaceStatus>,
    /// Paces that are not in the configuration.
    pub(crate) unknown: BTreeSet<String>,
}

/// How many disruptions an outcome wants under a pace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) wanted: usize,
    /// Those that may not start yet.
    pub(super) deferred: usize,
}

/// The counts of each pace that an outcome names.
pub(super) type CountsByPace<'a> = BTreeMap<&'a str, Counts>;

// === impl Disruptions ===

impl Disruptions {
    /// Whether a disruption may not start yet.
    pub(crate) fn are_deferred(&self) -> bool {
        self.paces.iter().any(PaceStatus::is_deferred)
    }

    /// The state of the paces, for people; empty if there is nothing to report.
    pub(crate) fn message(&self) -> String {
        self.paces.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}
