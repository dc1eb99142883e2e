//! What a DynaKube is told: the conditions and reasons of Dynatrace's operator, and what it remembers in the status.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{Outcome, Readiness};
use serde_json::{Value, json};

use crate::answer::Answers;
use crate::claims::{Plan, Share, Step};
use crate::component::Component;
use crate::hosts::Hosts;

/// What is wrong is named as often; the rest is counted.
const NAMED: usize = 5;

/// The DynaKube makes no sense. What is there stays: that of the `standing`.
pub(crate) fn unreadable(why: &str, known: &Answers, standing: &[Component]) -> Outcome {
    stopped(Outcome::failed(why), why, known, standing)
}

/// Istio is not there, or not all of it.
pub(crate) fn without_istio(known: &Answers, standing: &[Component]) -> Outcome {
    let why = "Istio's CRDs are not there yet: install Istio, or switch `spec.enableIstio` off";
    stopped(Outcome::progressing("Istio's CRDs are not there yet"), why, known, standing)
}

/// Nothing is done. Whoever has hosts has a condition nonetheless: they can be reached as before where the entries stand.
fn stopped(outcome: Outcome, why: &str, known: &Answers, standing: &[Component]) -> Outcome {
    let mut outcome = failed(outcome, Component::Operator, why);
    for (component, answer) in known.each() {
        let hosts = answer.info().map(|info| Hosts::reported(&info.endpoints)).unwrap_or_default();
        let share = Share { wanted: hosts.endpoints.len(), ..Share::default() };
        outcome = match (share.wanted > 0, standing.contains(&component)) {
            (true, true) => reachable(outcome, component, &share, Some(why)),
            (false, false) => outcome,
            _ => failed(outcome, component, why),
        };
    }
    outcome.status(remembered(known))
}

/// The way to the API is being opened: this step is awaited.
pub(crate) fn opening(plan: &Plan, step: &Step, known: &Answers) -> Outcome {
    let mut outcome = told(plan, known);
    let ((namespace, name), target) = (step.entry_name(), &step.target);
    let awaited = format!("{target} is not in ServiceEntry {namespace}/{name} yet");
    outcome.readiness = Readiness::Progressing(format!("the way to the Dynatrace API is being opened: {awaited}"));
    outcome
}

/// How it stands with each component.
pub(crate) fn told(plan: &Plan, answers: &Answers) -> Outcome {
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    let mut outcome = Outcome::ready();
    for (component, share) in plan.shares() {
        let answer = answers.each().into_iter().find(|(of, _)| *of == component).map(|(_, answer)| answer);
        let trouble = answer.and_then(|answer| answer.trouble());
        wrong.extend(listed(&share.wrong));
        if answer.is_some_and(|answer| answer.info().is_none()) {
            if let Some(why) = trouble {
                missing.push(why.to_owned());
                outcome = failed(outcome, component, why);
            }
            continue;
        }
        wrong.extend(trouble.map(|why| format!("{why}; its last answer stands")));
        if share.wanted > 0 {
            outcome = reachable(outcome, component, share, trouble);
        }
    }
    for told in [&mut missing, &mut wrong] {
        told.dedup();
    }
    if !missing.is_empty() {
        outcome.readiness = Readiness::Progressing(missing.join("; "));
    } else if !wrong.is_empty() {
        outcome.readiness = Readiness::Warning(wrong.join("; "));
    }
    outcome.status(remembered(answers))
}

fn reachable(outcome: Outcome, component: Component, share: &Share, trouble: Option<&str>) -> Outcome {
    let reason = format!("{}Changed", component.condition());
    outcome.condition(component.condition(), Some(true), &reason, message(share, trouble))
}

fn failed(outcome: Outcome, component: Component, why: &str) -> Outcome {
    outcome.condition(component.condition(), Some(false), &format!("{}Failed", component.condition()), why)
}

fn message(share: &Share, trouble: Option<&str>) -> String {
    let mut said = vec![format!("{} hosts and addresses can be reached", share.wanted)];
    said.extend(trouble.map(|why| format!("as last reported: {why}")));
    said.extend(listed(&share.wrong));
    said.extend(listed(&share.elsewhere));
    said.join("; ")
}

/// The first of these sentences, and how many more there are; `None` without any.
fn listed(sentences: &[String]) -> Option<String> {
    (!sentences.is_empty()).then(|| Listed::first(NAMED, sentences).separated_by("; ").to_string())
}

/// What the API said last, where Dynatrace's operator has it, too.
fn remembered(answers: &Answers) -> Value {
    let mut status = json!({});
    for (component, answer) in answers.each() {
        let Some(info) = answer.info() else { continue };
        let field = if component == Component::ActiveGate { "activeGate" } else { "oneAgent" };
        let mut connection = json!({"endpoints": info.endpoints});
        if !info.tenant.is_empty() {
            connection["tenantUUID"] = json!(info.tenant);
        }
        status[field] = json!({"connectionInfoStatus": connection});
    }
    status
}
