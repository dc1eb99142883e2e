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

#[cfg(test)]
mod tests {
    use std::num::NonZero;
    use std::time::Duration;

    use super::*;

    fn status(deferred: usize, failed: usize) -> PaceStatus {
        let pace = Pace {
            at_once: NonZero::new(2),
            per_minute: NonZero::new(10),
            windows: Vec::new(),
            progress_deadline: Duration::from_mins(10),
        };
        let failed = (0..failed).map(|at| format!("d{at}")).collect();
        PaceStatus::new(&"restarts".into(), &pace, 7, deferred, failed)
    }

    #[test]
    fn a_message_names_the_pace_with_its_limits_and_the_first_failed_objects() {
        let waits = "3 of 7 disruptions wait for pace `restarts` (at once 2, per minute 10)";
        assert_eq!(status(3, 0).to_string(), waits);
        assert_eq!(status(3, 1).to_string(), format!("{waits}; timed out or failed: d0"));
        assert_eq!(status(0, 7).to_string(), "timed out or failed: d0, d1, d2, d3, d4 and 2 more");
    }

    #[test]
    fn a_pace_without_deferred_or_failed_disruptions_is_not_notable() {
        assert!(!status(0, 0).is_notable() && status(1, 0).is_notable() && status(0, 1).is_notable());
    }
}
