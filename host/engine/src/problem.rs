//! What can go wrong in a reconcile, and what is done about it.

use std::collections::BTreeSet;
use std::time::Duration;

use mizzen_cluster::{ReadError, WriteError};
use mizzen_model::{CallError, Failure};

use crate::prepare::Refusal;

/// Why a reconcile did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The plugin gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The plugin said no.
    #[error(transparent)]
    Plugin(#[from] Failure),
    /// The plugin's answer is not for it to give.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The cluster did not take what was written.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Write(Vec<WriteError>),
    /// Something is subject to paces that are not in the configuration. The rest was done.
    #[error("pace {} is not in the configuration: add it to `spec.pace`", named(.0))]
    Pace(BTreeSet<String>),
}

/// When a reconcile that went wrong is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// When something it depends on changes: trying again would end the same way.
    OnChange,
    /// With growing pauses of at most this long.
    Backoff(Duration),
}

/// The first pause after something went wrong.
const FIRST: Duration = Duration::from_millis(200);
/// The longest pause while the API server is away, so that its return is noticed soon.
const UNREACHABLE: Duration = Duration::from_secs(3);
/// The longest pause for what somebody will have to mend.
const BROKEN: Duration = Duration::from_mins(5);

// === impl Problem ===

impl Problem {
    /// A word for it, fit for a condition's reason.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Call(error) => error.reason(),
            Self::Plugin(Failure::Invalid(_)) => "Invalid",
            Self::Plugin(Failure::Retry(_)) => "Retrying",
            Self::Refused(Refusal::Denied(_)) => "Denied",
            Self::Refused(Refusal::Invalid(_) | Refusal::Contradiction(_)) => "InvalidOutcome",
            Self::Refused(Refusal::Unknown(ReadError::NotServed(_))) => "NotServed",
            Self::Refused(Refusal::Unknown(_)) => "Unavailable",
            Self::Write(errors) => errors.iter().map(write_reason).next().unwrap_or("WriteFailed"),
            Self::Pace(_) => "UnknownPace",
        }
    }

    /// Whether all of it is that somebody else wrote in between, which the next look takes into account.
    pub(crate) fn is_race(&self) -> bool {
        matches!(self, Self::Write(errors) if errors.iter().all(|error| matches!(error, WriteError::Stale { .. })))
    }

    /// When to try again.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Plugin(Failure::Invalid(_))
            | Self::Refused(Refusal::Denied(_) | Refusal::Invalid(_) | Refusal::Contradiction(_))
            | Self::Pace(_) => Retry::OnChange,
            Self::Refused(Refusal::Unknown(_)) => Retry::Backoff(UNREACHABLE),
            Self::Write(errors) if errors.iter().any(passing) => Retry::Backoff(UNREACHABLE),
            Self::Call(_) | Self::Plugin(_) | Self::Write(_) => Retry::Backoff(BROKEN),
        }
    }

    /// Whether the plugin must be asked again, or only the writing be repeated.
    pub(crate) fn asks_again(&self) -> bool {
        !matches!(self, Self::Write(_) | Self::Pace(_))
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        Self::Write(vec![error])
    }
}

fn named(paces: &BTreeSet<String>) -> String {
    paces.iter().map(|pace| format!("`{pace}`")).collect::<Vec<_>>().join(", ")
}

/// The pause before the next try, after this many in a row went wrong: doubling, and spread so that many don't come at once.
pub(crate) fn pause(failures: u32, most: Duration, spread: u32) -> Duration {
    let grown = FIRST.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1).min(20)).unwrap_or(u32::MAX));
    let capped = grown.min(most);
    capped.mul_f64(0.75 + f64::from(spread % 101) / 200.0)
}

fn write_reason(error: &WriteError) -> &'static str {
    match error {
        WriteError::Conflict { .. } | WriteError::Claimed { .. } => "Conflict",
        WriteError::Stale { .. } => "Stale",
        WriteError::Invalid { .. } => "Rejected",
        WriteError::Forbidden { .. } => "Forbidden",
        WriteError::NotFound { .. } => "NotFound",
        WriteError::Unavailable { .. } => "Unavailable",
    }
}

fn passing(error: &WriteError) -> bool {
    matches!(error, WriteError::Stale { .. } | WriteError::Unavailable { .. } | WriteError::NotFound { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_the_cap() {
        let at = |failures| pause(failures, BROKEN, 50);
        assert_eq!((at(1), at(2), at(3)), (FIRST, FIRST * 2, FIRST * 4));
        assert_eq!(at(40), BROKEN);
    }

    #[test]
    fn an_invalid_subject_waits_for_a_change_and_a_lost_server_does_not_wait_long() {
        assert_eq!(Problem::from(Failure::Invalid("x".into())).retry(), Retry::OnChange);
        let lost = WriteError::Unavailable { object: "Pod a".into(), message: "gone".into() };
        assert_eq!(Problem::from(lost).retry(), Retry::Backoff(UNREACHABLE));
    }
}
