//! What a guest answers, parsed once; refused here if it makes no sense. What it wants is checked against its grants elsewhere.

use std::collections::HashSet;
use std::time::Duration;

use mizzen_model as model;
use serde_json::Value;

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::convert::{json, object_ref};
use crate::text::line;

/// The shortest and the longest that a plugin can ask to be left alone for. The one stops a plugin from having itself asked without
/// pause, which no limit on a single call would end; the other has what it wants looked at once a day at least.
const REQUEUE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24));

/// Bytes of a sentence for people. Stops a guest from filling statuses, which the API server has to keep, and logs.
const SENTENCE: usize = 1024;

/// Events and conditions of one outcome. Stops a guest from having the host write objects that no grant speaks of.
const EVENTS: usize = 32;
const CONDITIONS: usize = 32;

/// The guest's "no".
pub(crate) fn failure(failure: wit::Failure) -> model::Failure {
    match failure {
        wit::Failure::Invalid(why) => model::Failure::Invalid(sentence(why)),
        wit::Failure::Retry(why) => model::Failure::Retry(sentence(why)),
    }
}

/// An outcome, with all its documents parsed; or which field makes no sense, and why.
pub(crate) fn outcome(outcome: wit::Outcome) -> Result<model::Outcome, String> {
    let desired = match outcome.desired {
        None => None,
        Some(wit::Wanted::All(documents)) => Some(model::Wanted::All(documents_of(documents)?)),
        Some(wit::Wanted::SoFar(documents)) => Some(model::Wanted::SoFar(documents_of(documents)?)),
    };
    Ok(model::Outcome {
        readiness: match outcome.readiness {
            wit::Readiness::Ready => model::Readiness::Ready,
            wit::Readiness::Progressing(why) => model::Readiness::Progressing(sentence(why)),
            wit::Readiness::Warning(why) => model::Readiness::Warning(sentence(why)),
            wit::Readiness::Failed(why) => model::Readiness::Failed(sentence(why)),
        },
        desired,
        patches: each("patches", outcome.patches, patch)?,
        deletions: outcome.deletions.into_iter().map(deletion).collect(),
        status: match outcome.status {
            None => None,
            Some(text) => Some(map(&text).map_err(|why| format!("status: {why}"))?),
        },
        conditions: conditions(outcome.conditions)?,
        events: at_most(EVENTS, "events", outcome.events)?.into_iter().map(event).collect(),
        requeue_after: outcome.requeue_after.map(|millis| Duration::from_millis(millis).clamp(REQUEUE.0, REQUEUE.1)),
    })
}

fn documents_of(texts: Vec<String>) -> Result<Vec<Value>, String> {
    each("desired", texts, |text| identified(json(&text)?))
}

fn patch(patch: wit::Patch) -> Result<model::Patch, String> {
    let fragment = map(&patch.fragment).map_err(|why| format!("fragment: {why}"))?;
    Ok(model::Patch { object: object_ref(patch.object), fragment, pace: patch.pace, reason: sentence(patch.reason) })
}

fn deletion(deletion: wit::Deletion) -> model::Deletion {
    model::Deletion {
        object: object_ref(deletion.object),
        uid: deletion.uid,
        pace: deletion.pace,
        reason: sentence(deletion.reason),
    }
}

fn event(event: wit::Event) -> model::Event {
    model::Event {
        regarding: event.regarding.map(object_ref),
        severity: match event.severity {
            wit::Severity::Normal => model::Severity::Normal,
            wit::Severity::Warning => model::Severity::Warning,
        },
        reason: sentence(event.reason),
        message: sentence(event.message),
    }
}

fn conditions(conditions: Vec<wit::Condition>) -> Result<Vec<model::Condition>, String> {
    let conditions = each("conditions", at_most(CONDITIONS, "conditions", conditions)?, condition)?;
    let mut seen = HashSet::new();
    match conditions.iter().find(|condition| !seen.insert(&condition.kind)) {
        Some(twice) => Err(format!("conditions: `{}` is given twice", twice.kind)),
        None => Ok(conditions),
    }
}

fn condition(condition: wit::Condition) -> Result<model::Condition, String> {
    // What the API server's own validation of conditions asks for.
    let letters = |text: &str, more: &[char]| {
        text.len() <= 316
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
            && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    };
    if !letters(&condition.type_, &['-', '_', '.', '/']) {
        return Err(format!("`type` must be CamelCase, not `{}`", sentence(condition.type_)));
    }
    if !letters(&condition.reason, &['_', ',', ':']) {
        return Err(format!("`reason` must be CamelCase, not `{}`", sentence(condition.reason)));
    }
    Ok(model::Condition {
        kind: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: sentence(condition.message),
    })
}

fn at_most<T>(most: usize, field: &str, items: Vec<T>) -> Result<Vec<T>, String> {
    if items.len() > most {
        return Err(format!("{field}: {} of them; {most} are the most", items.len()));
    }
    Ok(items)
}

fn each<T, U>(field: &str, items: Vec<T>, parse: impl Fn(T) -> Result<U, String>) -> Result<Vec<U>, String> {
    items.into_iter().enumerate().map(|(at, item)| parse(item).map_err(|why| format!("{field}[{at}]: {why}"))).collect()
}

fn map(text: &str) -> Result<Value, String> {
    let value = json(text)?;
    if value.is_object() { Ok(value) } else { Err("not a JSON object".into()) }
}

/// What says of itself which Kubernetes object it is.
fn identified(value: Value) -> Result<Value, String> {
    for (at, missing) in [("/apiVersion", "apiVersion"), ("/kind", "kind"), ("/metadata/name", "metadata.name")] {
        if value.pointer(at).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(format!("not a Kubernetes object: `{missing}` is missing or not a text"));
        }
    }
    Ok(value)
}

fn sentence(text: String) -> String {
    line(text, SENTENCE)
}

#[cfg(test)]
mod tests;
