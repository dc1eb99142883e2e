//! What a DynaKube's status reports: the conditions and reasons of Dynatrace's operator, and the
//! API's last response.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{Outcome, Readiness};
use serde_json::{Value, json};

use crate::claims::{Plan, Share, Step};
use crate::component::Component;
use crate::hosts::Hosts;
use crate::reported::Reports;

/// How many faults are named; the others are counted.
const NAMED: usize = 5;

/// The DynaKube is invalid. Existing entries stay: those of the components `existing`.
pub(crate) fn unreadable(why: &str, known: &Reports, existing: &[Component]) -> Outcome {
    stopped(Outcome::failed(why), why, known, existing)
}

/// Istio's CRDs are missing, or some of them.
pub(crate) fn without_istio(known: &Reports, existing: &[Component]) -> Outcome {
    let why = "Istio's CRDs are not installed yet: install Istio, or set `spec.enableIstio` to `false`";
    stopped(Outcome::progressing("Istio's CRDs are not installed yet"), why, known, existing)
}

/// Nothing is changed. Components with entries have a condition nonetheless: their hosts can be
/// reached as before.
fn stopped(outcome: Outcome, why: &str, known: &Reports, existing: &[Component]) -> Outcome {
    let mut outcome = failed(outcome, Component::Operator, why);
    for (component, report) in known.each() {
        let hosts = report.info().map(|info| Hosts::reported(&info.endpoints)).unwrap_or_default();
        let share = Share { wanted: hosts.endpoints.len(), ..Share::default() };
        outcome = match (share.wanted > 0, existing.contains(&component)) {
            (true, true) => reachable(outcome, component, &share, Some(why)),
            (false, false) => outcome,
            _ => failed(outcome, component, why),
        };
    }
    outcome.status(remembered(known))
}

/// The entry for the API is being created: this step is awaited.
pub(crate) fn opening(plan: &Plan, step: &Step, known: &Reports) -> Outcome {
    let mut outcome = summary(plan, known);
    let ((namespace, name), target) = (step.entry_name(), &step.target);
    let awaited = format!("ServiceEntry {namespace}/{name} does not contain {target} yet");
    outcome.readiness = Readiness::Progressing(format!("the mesh can't reach the Dynatrace API yet: {awaited}"));
    outcome
}

/// Reports the state of each component.
pub(crate) fn summary(plan: &Plan, reports: &Reports) -> Outcome {
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    let mut outcome = Outcome::ready();
    for (component, share) in plan.shares() {
        let report = reports.each().into_iter().find(|(of, _)| *of == component).map(|(_, report)| report);
        let failure = report.and_then(|report| report.failure());
        wrong.extend(listed(&share.wrong));
        if report.is_some_and(|report| report.info().is_none()) {
            if let Some(why) = failure {
                missing.push(why.to_owned());
                outcome = failed(outcome, component, why);
            }
            continue;
        }
        wrong.extend(failure.map(|why| format!("{why}; its last response stays in force")));
        if share.wanted > 0 {
            outcome = reachable(outcome, component, share, failure);
        }
    }
    for messages in [&mut missing, &mut wrong] {
        messages.dedup();
    }
    if !missing.is_empty() {
        outcome.readiness = Readiness::Progressing(missing.join("; "));
    } else if !wrong.is_empty() {
        outcome.readiness = Readiness::Warning(wrong.join("; "));
    }
    outcome.status(remembered(reports))
}

fn reachable(outcome: Outcome, component: Component, share: &Share, failure: Option<&str>) -> Outcome {
    let reason = format!("{}Changed", component.condition());
    outcome.condition(component.condition(), Some(true), &reason, message(share, failure))
}

fn failed(outcome: Outcome, component: Component, why: &str) -> Outcome {
    outcome.condition(component.condition(), Some(false), &format!("{}Failed", component.condition()), why)
}

fn message(share: &Share, failure: Option<&str>) -> String {
    let mut sentences = vec![format!("{} hosts and addresses can be reached", share.wanted)];
    sentences.extend(failure.map(|why| format!("as last reported: {why}")));
    sentences.extend(listed(&share.wrong));
    sentences.extend(listed(&share.elsewhere));
    sentences.join("; ")
}

/// The first of these sentences, and how many more there are; `None` without any.
fn listed(sentences: &[String]) -> Option<String> {
    (!sentences.is_empty()).then(|| Listed::first(NAMED, sentences).separated_by("; ").to_string())
}

/// The API's last response, in the fields where Dynatrace's operator keeps it, too.
fn remembered(reports: &Reports) -> Value {
    let mut status = json!({});
    for (component, report) in reports.each() {
        let Some(info) = report.info() else { continue };
        let field = if component == Component::ActiveGate { "activeGate" } else { "oneAgent" };
        let mut connection = json!({"endpoints": info.endpoints});
        if !info.tenant.is_empty() {
            connection["tenantUUID"] = json!(info.tenant);
        }
        status[field] = json!({"connectionInfoStatus": connection});
    }
    status
}
