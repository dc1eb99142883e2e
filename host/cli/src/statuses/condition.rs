//! Conditions of statuses.

use mizzen_config::document::StatusCondition;

/// The part of a condition that this host decides.
pub(super) struct Condition {
    status: &'static str,
    reason: &'static str,
    message: String,
}

// === impl Condition ===

impl Condition {
    /// A condition that is met.
    pub(super) fn met(reason: &'static str, message: impl Into<String>) -> Self {
        Self { status: "True", reason, message: message.into() }
    }

    /// A condition that is not met.
    pub(super) fn unmet(reason: &'static str, message: impl Into<String>) -> Self {
        Self { status: "False", reason, message: message.into() }
    }

    /// The whole condition, with the time of the last change of its status.
    pub(super) fn into_status(self, kind: &str, before: &[StatusCondition], generation: i64) -> StatusCondition {
        let Self { status, reason, message } = self;
        let before = before.iter().find(|before| before.kind == kind && before.status == status);
        let since = before.and_then(|before| before.last_transition_time.clone());
        StatusCondition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message,
            last_transition_time: Some(since.unwrap_or_else(mizzen_engine::now)),
            observed_generation: Some(generation),
        }
    }
}
