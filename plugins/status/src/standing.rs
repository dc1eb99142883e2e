//! Summarises the conditions of all reconcilers: the worst state, Kyma's reason for it, and the
//! reconcilers it comes from.

use mizzen_istio_api::{State, reasons};
use serde::Deserialize;

/// A condition of the subject.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    observed_generation: Option<i64>,
}

/// The state of the mesh.
pub(crate) struct Standing {
    pub(crate) state: State,
    /// Kyma's reason for the condition `Ready`.
    pub(crate) reason: String,
    pub(crate) description: String,
}

/// Reasons of the host for states that resolve by waiting or retrying.
const PASSING: [&str; 7] =
    ["Progressing", "WaitingForPredecessor", "Retrying", "Unavailable", "NotServed", "Stale", PACING];

/// The host's reason while disruptions wait for a pace.
const PACING: &str = "Pacing";

// === impl Standing ===

impl Standing {
    /// The worst state of these reconcilers: an error before a warning before one in progress.
    pub(crate) fn sum(names: &[String], conditions: &[Condition], generation: Option<i64>) -> Self {
        let each: Vec<_> = names.iter().map(|name| (name, one(name, conditions, generation))).collect();
        let worst = each.iter().map(|(_, standing)| standing.state).max_by_key(|state| badness(*state));
        let state = worst.unwrap_or(State::Ready);
        let telling: Vec<_> = each.into_iter().filter(|(_, standing)| standing.state == state).collect();
        let reason = match (state, telling.first()) {
            (State::Warning | State::Error, Some((_, first))) => first.reason.clone(),
            (State::Ready, _) => "ReconcileSucceeded".into(),
            _ if telling.iter().any(|(_, standing)| standing.reason == PACING) => PACING.into(),
            _ => "ReconcileUnknown".into(),
        };
        let description = if state == State::Ready {
            "Istio is in the desired state".into()
        } else {
            joined(telling.into_iter().map(|(name, standing)| (name.as_str(), standing.description)))
        };
        Self { state, reason, description }
    }

    /// As [`Standing::sum`], for those whose finalizers are on a subject that is being deleted.
    pub(crate) fn leaving(names: &[String], conditions: &[Condition], generation: Option<i64>) -> Self {
        let sum = Self::sum(names, conditions, generation);
        match sum.state {
            State::Warning | State::Error => sum,
            _ => Self {
                state: State::Deleting,
                reason: "ReconcileUnknown".into(),
                description: format!("Istio is being removed by {}", names.join(", ")),
            },
        }
    }

    /// An older object determines the mesh.
    pub(crate) fn superseded(older: &str) -> Self {
        Self {
            state: State::Warning,
            reason: reasons::OLDER.into(),
            description: format!("Istio {older} is older and determines the mesh; this one has no effect"),
        }
    }
}

/// The descriptions with their reconcilers; equal descriptions are listed once.
fn joined<'a>(all: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut parts: Vec<(String, String)> = Vec::new();
    for (name, description) in all {
        match parts.iter_mut().find(|(_, other)| *other == description) {
            Some((names, _)) => names.extend([", ", name]),
            None => parts.push((name.to_owned(), description)),
        }
    }
    parts.iter().map(|(names, description)| format!("{names}: {description}")).collect::<Vec<_>>().join("; ")
}

/// The state of one reconciler.
fn one(name: &str, conditions: &[Condition], generation: Option<i64>) -> Standing {
    let kind = format!("mizzen.dev/{name}");
    let waits = |description: &str| Standing {
        state: State::Processing,
        reason: String::new(),
        description: description.into(),
    };
    let Some(own) = conditions.iter().find(|condition| condition.kind == kind) else {
        return waits("not reconciled yet");
    };
    if own.observed_generation.is_some_and(|observed| generation.is_some_and(|latest| observed < latest)) {
        return waits("the latest change is not reconciled yet");
    }
    let reason = match &*own.reason {
        // The disruptions will follow: other conditions are summarised when they have.
        PACING => PACING,
        host => conditions.iter().find_map(|other| other.explains(own)).unwrap_or_else(|| usual(name, host)),
    };
    let state = match &*own.status {
        // It can't continue, but what is installed works.
        _ if [reasons::DANGLING, reasons::VERSION].contains(&reason) => State::Warning,
        "True" if own.reason == "Warning" => State::Warning,
        "True" => State::Ready,
        _ if PASSING.contains(&&*own.reason) => State::Processing,
        _ => State::Error,
    };
    let description = if own.message.is_empty() { own.reason.clone() } else { own.message.clone() };
    Standing { state, reason: reason.to_owned(), description }
}

/// Kyma's reason for a failure of a reconciler without its own reason.
fn usual(name: &str, reason: &str) -> &'static str {
    match name {
        _ if reason == "Invalid" => reasons::INVALID,
        "installation" => reasons::FAILED,
        "gateway-restart" => "IngressGatewayRestartFailed",
        "sidecar-restart" => "ProxySidecarRestartFailed",
        "gateway" | "mtls" | "monitoring" | "injector" => "CustomResourcesReconcileFailed",
        _ => "ReconcileFailed",
    }
}

fn badness(state: State) -> u8 {
    match state {
        State::Ready => 0,
        State::Processing | State::Deleting => 1,
        State::Warning => 2,
        State::Error => 3,
    }
}

// === impl Condition ===

impl Condition {
    /// The reason of a condition that a plugin set itself, if it reports the same as the host's
    /// condition for that plugin. After the same message the host may append the state of paces:
    /// which disruption failed, and what waits.
    fn explains(&self, of_host: &Self) -> Option<&str> {
        let own = !self.kind.starts_with("mizzen.dev/") && self.kind != "Ready";
        let added =
            of_host.message.strip_prefix(&self.message).filter(|text| text.is_empty() || text.starts_with("; "));
        (own && !self.message.is_empty() && added.is_some()).then_some(&self.reason)
    }
}
