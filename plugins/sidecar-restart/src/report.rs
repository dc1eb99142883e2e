//! The outcome of restarts: readiness, a condition, and names in the status.

use mizzen_istio_api::{Sidecars, Workloads};
use mizzen_sdk::Outcome;
use mizzen_workloads::{Decision, Named};
use serde_json::json;

use crate::expected::Expected;

/// Kyma's condition, with its reasons.
const CONDITION: &str = "ProxySidecarRestartSucceeded";

/// Whether the status names the workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    InStatus,
    Omitted,
}

/// The desired proxy is not known yet: nothing is restarted.
pub(crate) fn unknown(namespace: &str) -> Outcome {
    let awaited = format!(
        "the desired proxy is not known: ConfigMap istio-sidecar-injector is not in namespace {namespace}, and the \
         configuration gives no `image`"
    );
    Outcome::progressing(awaited.clone()).condition(CONDITION, None, "ProxySidecarRestartPending", awaited)
}

/// The outcome of a decision.
pub(crate) fn decided(decision: Decision, expected: &Expected, names: Names) -> Outcome {
    let Decision { restarting, pending, manual, unhelped, .. } = &decision;
    let more = |named: &Named, text: &str| (named.count > 0).then(|| format!("{text}: {}", named.sentence()));
    let restarting = more(restarting, "workloads are being restarted");
    let trouble: Vec<_> = [
        more(unhelped, "a restart had no effect"),
        more(manual, "must be restarted by hand"),
        more(pending, "can't be restarted now"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let message = restarting.iter().chain(&trouble).map(String::as_str).collect::<Vec<_>>().join("; ");
    let outcome = match (&restarting, trouble.is_empty()) {
        (Some(_), _) => Outcome::progressing(&message),
        (None, false) => Outcome::warning(&message),
        (None, true) => Outcome::ready(),
    };
    let outcome = if unhelped.count > 0 {
        outcome.condition(CONDITION, Some(false), "ProxySidecarRestartFailed", message)
    } else if manual.count > 0 {
        outcome.condition(CONDITION, Some(false), "ProxySidecarManualRestartRequired", message)
    } else if restarting.is_some() || pending.count > 0 {
        outcome.condition(CONDITION, None, "ProxySidecarRestartPending", message)
    } else {
        outcome.condition(CONDITION, Some(true), CONDITION, "every sidecar is up to date")
    };
    let outcome = match names {
        Names::InStatus => outcome.status(json!({"sidecars": sidecars(&decision, expected)})),
        Names::Omitted => outcome,
    };
    decision.into_outcome(outcome)
}

fn sidecars(decision: &Decision, expected: &Expected) -> Sidecars {
    let workloads =
        |named: &Named| Workloads { count: u32::try_from(named.count).unwrap_or(u32::MAX), names: named.names.clone() };
    Sidecars {
        image: expected.image.as_str().to_owned(),
        restarting: workloads(&decision.restarting),
        pending: workloads(&decision.pending),
        manual: workloads(&decision.manual),
        excluded: workloads(&decision.excluded),
        unhelped: workloads(&decision.unhelped),
    }
}
