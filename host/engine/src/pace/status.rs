//! The state of a pace, for conditions and metrics.

use std::fmt;
use std::sync::Arc;

use mizzen_config::Pace;
use mizzen_k8s::Listed;

/// The most objects that a message names: a status is read by people, and stored by the API server.
const NAMED: usize = 5;

/// The state of one pace of a reconciler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceSnapshot {
    /// Its name in the configuration.
    pub name: String,
    /// How many disruptions are wanted and may not start yet.
    pub deferred: usize,
    /// How many have started and not rolled out.
    pub in_progress: usize,
    /// How many met their progress deadline or failed.
    pub timed_out: usize,
}

/// The state of a pace for one reconciler and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaceStatus {
    pace: Arc<str>,
    limits: String,
    /// How many disruptions are wanted, including those already done.
    wanted: usize,
    deferred: usize,
    failed: Vec<String>,
}

// === impl PaceStatus ===

impl PaceStatus {
    pub(super) fn new(name: &Arc<str>, pace: &Pace, wanted: usize, deferred: usize, failed: Vec<String>) -> Self {
        Self { pace: Arc::clone(name), limits: limits(pace), wanted, deferred, failed }
    }

    /// Whether a disruption may not start yet.
    pub(crate) fn is_deferred(&self) -> bool {
        self.deferred > 0
    }

    /// Whether there is anything to report.
    pub(crate) fn is_notable(&self) -> bool {
        self.is_deferred() || !self.failed.is_empty()
    }
}

impl fmt::Display for PaceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pace, limits, wanted, deferred, failed } = self;
        if *deferred > 0 {
            write!(f, "{deferred} of {wanted} disruptions wait for pace `{pace}` ({limits})")?;
        }
        if !failed.is_empty() {
            let between = if *deferred > 0 { "; " } else { "" };
            write!(f, "{between}timed out or failed: {}", Listed::first(NAMED, failed))?;
        }
        Ok(())
    }
}

fn limits(pace: &Pace) -> String {
    let at_once = pace.at_once.map(|most| format!("at once {most}"));
    let per_minute = pace.per_minute.map(|most| format!("per minute {most}"));
    let windows = (!pace.windows.is_empty()).then(|| "within windows".to_owned());
    [at_once, per_minute, windows].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
