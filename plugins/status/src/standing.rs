//! What the conditions of all reconcilers come to: the worst state, Kyma's reason for it, and who says so.

use mizzen_istio_api::{State, reasons};
use serde::Deserialize;

/// One condition of the subject, as it stands there.
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

/// How far the mesh has come.
pub(crate) struct Standing {
    pub(crate) state: State,
    /// Kyma's reason for the condition `Ready`.
    pub(crate) reason: String,
    pub(crate) description: String,
}

/// Reasons that the host gives to what mends itself, by waiting or by trying again.
const PASSING: [&str; 7] = ["Progressing", "Held", "Retrying", "Unavailable", "NotServed", "Stale", PACING];

/// The host's reason while disruptions wait for their turn.
const PACING: &str = "Pacing";

// === impl Standing ===

impl Standing {
    /// Of the reconcilers of these names, the worst: an error before a warning before what is on its way.
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
            "Istio is as wanted".into()
        } else {
            told(telling.into_iter().map(|(name, standing)| (name.as_str(), standing.description)))
        };
        Self { state, reason, description }
    }

    /// As [`Standing::sum`], of those that still hold a subject which is going away.
    pub(crate) fn leaving(names: &[String], conditions: &[Condition], generation: Option<i64>) -> Self {
        let sum = Self::sum(names, conditions, generation);
        match sum.state {
            State::Warning | State::Error => sum,
            _ => Self {
                state: State::Deleting,
                reason: "ReconcileUnknown".into(),
                description: format!("Istio is being taken down by {}", names.join(", ")),
            },
        }
    }

    /// There is an older object, and that one counts.
    pub(crate) fn superseded(older: &str) -> Self {
        Self {
            state: State::Warning,
            reason: reasons::OLDER.into(),
            description: format!("Istio {older} is older and is what the mesh follows; this one changes nothing"),
        }
    }
}

/// Who says what; what several say is told once.
fn told<'a>(all: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut parts: Vec<(String, String)> = Vec::new();
    for (name, description) in all {
        match parts.iter_mut().find(|(_, said)| *said == description) {
            Some((names, _)) => names.extend([", ", name]),
            None => parts.push((name.to_owned(), description)),
        }
    }
    parts.iter().map(|(names, said)| format!("{names}: {said}")).collect::<Vec<_>>().join("; ")
}

/// How one reconciler stands.
fn one(name: &str, conditions: &[Condition], generation: Option<i64>) -> Standing {
    let kind = format!("mizzen.dev/{name}");
    let waits = |description: &str| Standing {
        state: State::Processing,
        reason: String::new(),
        description: description.into(),
    };
    let Some(own) = conditions.iter().find(|condition| condition.kind == kind) else {
        return waits("no answer yet");
    };
    if own.observed_generation.is_some_and(|observed| generation.is_some_and(|latest| observed < latest)) {
        return waits("no answer to the latest change yet");
    }
    let reason = match &*own.reason {
        // What waits for its turn will come true: whatever else is said is said when it has.
        PACING => PACING,
        host => conditions.iter().find_map(|other| other.explains(own)).unwrap_or_else(|| usual(name, host)),
    };
    let state = match &*own.status {
        // It can't go on, but what is there works.
        _ if [reasons::DANGLING, reasons::VERSION].contains(&reason) => State::Warning,
        "True" if own.reason == "Warning" => State::Warning,
        "True" => State::Ready,
        _ if PASSING.contains(&&*own.reason) => State::Processing,
        _ => State::Error,
    };
    let description = if own.message.is_empty() { own.reason.clone() } else { own.message.clone() };
    Standing { state, reason: reason.to_owned(), description }
}

/// Kyma's reason for what goes wrong with a reconciler that gives none of its own.
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
    /// The reason of a condition that a plugin set itself, when it says the same as the host's about that plugin. After that, the host
    /// may say how paces stand: which disruption failed, and what waits.
    fn explains(&self, of_host: &Self) -> Option<&str> {
        let own = !self.kind.starts_with("mizzen.dev/") && self.kind != "Ready";
        let rest = of_host.message.strip_prefix(&self.message).filter(|rest| rest.is_empty() || rest.starts_with("; "));
        (own && !self.message.is_empty() && rest.is_some()).then_some(&self.reason)
    }
}
