//! What can go wrong in a reconcile, and when it is retried.

use std::collections::BTreeSet;
use std::time::Duration;

use mizzen_cluster::{ForeignField, ReadError, WriteError};
use mizzen_model::{CallError, Failure};

use crate::prepare::Refusal;

/// Why a reconcile failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The call returned nothing: it trapped, timed out, or could not be made.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The plugin returned a failure.
    #[error(transparent)]
    Plugin(#[from] Failure),
    /// The plugin's outcome may not be written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Writes failed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Write(Vec<WriteError>),
    /// Another field manager owns fields of the subject's status. Everything else was written.
    #[error("the status of {subject} takes no fields from other field managers: {}; leave them out", owned(.fields))]
    StatusConflict {
        /// The subject.
        subject: String,
        /// The contested fields and their owners.
        fields: Vec<ForeignField>,
    },
    /// Disruptions name paces that are not in the configuration. Everything else was written.
    #[error("pace {} is not in the configuration: add it to `spec.pace`", named(.0))]
    Pace(BTreeSet<String>),
}

/// When a failed reconcile is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// When something it depends on changes: a retry would fail in the same way.
    OnChange,
    /// After growing delays of at most this long.
    Backoff(Duration),
}

/// The cap while the API server is unavailable, so that its return is noticed soon.
const UNREACHABLE: Duration = Duration::from_secs(3);
/// The cap for what one object is refused at the moment, such as an exhausted quota: each retry is a write.
const BUSY: Duration = Duration::from_mins(1);
/// The cap while it is not known whether a write took effect.
const UNKNOWN: Duration = Duration::from_secs(15);
/// The cap for what a person will have to repair.
const BROKEN: Duration = Duration::from_mins(5);

// === impl Problem ===

impl Problem {
    /// The reason of the condition that reports it.
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
            Self::StatusConflict { .. } => "Conflict",
            Self::Pace(_) => "UnknownPace",
        }
    }

    /// Whether other clients' writes in between are all that failed it, which the next reconcile
    /// takes into account.
    pub(crate) fn is_race(&self) -> bool {
        matches!(self, Self::Write(errors) if errors.iter().all(|error| matches!(error, WriteError::Stale { .. })))
    }

    /// Whether the API server was unavailable.
    pub(crate) fn is_unavailable(&self) -> bool {
        let is_unavailable = |error: &WriteError| matches!(error, WriteError::Unavailable { .. });
        matches!(self, Self::Write(errors) if errors.iter().any(is_unavailable))
    }

    /// When to retry.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Plugin(Failure::Invalid(_))
            | Self::Refused(Refusal::Denied(_) | Refusal::Invalid(_) | Refusal::Contradiction(_))
            | Self::Pace(_) => Retry::OnChange,
            Self::Refused(Refusal::Unknown(_)) => Retry::Backoff(UNREACHABLE),
            Self::Write(errors) if errors.iter().any(is_transient) => Retry::Backoff(UNREACHABLE),
            Self::Write(errors) if errors.iter().any(|error| matches!(error, WriteError::Unknown { .. })) => {
                Retry::Backoff(UNKNOWN)
            }
            Self::Write(errors) if errors.iter().any(|error| matches!(error, WriteError::Temporary { .. })) => {
                Retry::Backoff(BUSY)
            }
            Self::Call(_) | Self::Plugin(_) | Self::Write(_) | Self::StatusConflict { .. } => Retry::Backoff(BROKEN),
        }
    }

    /// Whether a retry must call the plugin again, rather than only repeat the writes.
    pub(crate) fn asks_again(&self) -> bool {
        !matches!(self, Self::Write(_) | Self::StatusConflict { .. } | Self::Pace(_))
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        Self::Write(vec![error])
    }
}

fn owned(fields: &[ForeignField]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn named(paces: &BTreeSet<String>) -> String {
    paces.iter().map(|pace| format!("`{pace}`")).collect::<Vec<_>>().join(", ")
}

fn write_reason(error: &WriteError) -> &'static str {
    match error {
        WriteError::Conflict { .. } | WriteError::Exists { .. } | WriteError::Claimed { .. } => "Conflict",
        WriteError::Stale { .. } => "Stale",
        WriteError::Invalid { .. } => "Rejected",
        WriteError::Forbidden { .. } => "Forbidden",
        WriteError::NotFound { .. } => "NotFound",
        WriteError::Unavailable { .. } | WriteError::Temporary { .. } | WriteError::Unknown { .. } => "Unavailable",
    }
}

fn is_transient(error: &WriteError) -> bool {
    matches!(error, WriteError::Stale { .. } | WriteError::Unavailable { .. } | WriteError::NotFound { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_subject_waits_for_a_change_and_a_lost_server_does_not_wait_long() {
        assert_eq!(Problem::from(Failure::Invalid("x".into())).retry(), Retry::OnChange);
        let lost = WriteError::Unavailable { object: "Pod a".into(), message: "gone".into() };
        assert_eq!(Problem::from(lost).retry(), Retry::Backoff(UNREACHABLE));
        let refused = WriteError::Temporary { object: "Pod a".into(), message: "exceeded quota".into() };
        assert_eq!(Problem::from(refused).retry(), Retry::Backoff(BUSY));
    }
}
