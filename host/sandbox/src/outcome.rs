//! The outcome that a call returns: parsed once, and refused if a field is invalid. Grants are checked by the engine.

use std::collections::HashSet;
use std::time::Duration;

use mizzen_model as model;
use serde_json::Value;

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::types::ObjectRef;
use crate::convert::{json, object_ref};
use crate::limits::{CONDITIONS, EVENTS, MESSAGE, REQUEUE_MAX, REQUEUE_MIN};
use crate::text::line;

/// A field of an outcome that is invalid.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {fault}")]
pub(crate) struct OutcomeError {
    /// Its path, e.g. `patches[0].fragment`.
    field: String,
    fault: Fault,
}

/// What is wrong with a field.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("not a JSON object")]
    NotAnObject,
    #[error("not a Kubernetes object: `{0}` is missing or not a string")]
    Unidentified(&'static str),
    #[error(transparent)]
    Name(#[from] model::NameError),
    #[error("must be CamelCase, not `{0}`")]
    NotCamelCase(String),
    #[error("`{0}` is given twice")]
    Duplicate(String),
    #[error("has {given} entries; at most {most} are allowed")]
    TooMany { given: usize, most: usize },
}

/// A failure that the guest returns.
pub(crate) fn failure(failure: wit::Failure) -> model::Failure {
    match failure {
        wit::Failure::Invalid(why) => model::Failure::Invalid(message(why)),
        wit::Failure::Retry(why) => model::Failure::Retry(message(why)),
    }
}

/// Parses an outcome with all its documents.
pub(crate) fn outcome(outcome: wit::Outcome) -> Result<model::Outcome, OutcomeError> {
    let desired = match outcome.desired {
        None => None,
        Some(wit::Wanted::All(documents)) => Some(model::Wanted::All(documents_of(documents)?)),
        Some(wit::Wanted::SoFar(documents)) => Some(model::Wanted::SoFar(documents_of(documents)?)),
    };
    Ok(model::Outcome {
        readiness: match outcome.readiness {
            wit::Readiness::Ready => model::Readiness::Ready,
            wit::Readiness::Progressing(why) => model::Readiness::Progressing(message(why)),
            wit::Readiness::Warning(why) => model::Readiness::Warning(message(why)),
            wit::Readiness::Failed(why) => model::Readiness::Failed(message(why)),
        },
        desired,
        patches: each("patches", outcome.patches, patch)?,
        deletions: each("deletions", outcome.deletions, deletion)?,
        status: match outcome.status {
            None => None,
            Some(text) => Some(map(&text).map_err(|fault| fault.of("status"))?),
        },
        conditions: conditions(outcome.conditions)?,
        events: each("events", at_most(EVENTS, "events", outcome.events)?, event)?,
        requeue_after: outcome
            .requeue_after
            .map(|millis| Duration::from_millis(millis).clamp(REQUEUE_MIN, REQUEUE_MAX)),
    })
}

fn documents_of(texts: Vec<String>) -> Result<Vec<Value>, OutcomeError> {
    let document = |text: String| json(&text).map_err(Fault::Json).and_then(identified);
    each("desired", texts, |text| document(text).map_err(|fault| fault.of("")))
}

fn patch(patch: wit::Patch) -> Result<model::Patch, OutcomeError> {
    let fragment = map(&patch.fragment).map_err(|fault| fault.of("fragment"))?;
    let object = object(&patch.object, "object")?;
    Ok(model::Patch { object, fragment, pace: pace(patch.pace)?, reason: message(patch.reason) })
}

fn deletion(deletion: wit::Deletion) -> Result<model::Deletion, OutcomeError> {
    model::parse_uid(&deletion.uid).map_err(|error| Fault::Name(error).of(""))?;
    Ok(model::Deletion {
        object: object(&deletion.object, "object")?,
        uid: deletion.uid,
        pace: pace(deletion.pace)?,
        reason: message(deletion.reason),
    })
}

fn pace(name: Option<String>) -> Result<Option<String>, OutcomeError> {
    name.iter().try_for_each(|name| model::parse_pace_name(name)).map_err(|error| Fault::Name(error).of(""))?;
    Ok(name)
}

fn object(object: &ObjectRef, field: &str) -> Result<model::ObjectRef, OutcomeError> {
    object_ref(object).map_err(|error| Fault::Name(error).of(field))
}

fn event(event: wit::Event) -> Result<model::Event, OutcomeError> {
    Ok(model::Event {
        regarding: event.regarding.map(|regarding| object(&regarding, "regarding")).transpose()?,
        severity: match event.severity {
            wit::Severity::Normal => model::Severity::Normal,
            wit::Severity::Warning => model::Severity::Warning,
        },
        reason: message(event.reason),
        message: message(event.message),
    })
}

fn conditions(conditions: Vec<wit::Condition>) -> Result<Vec<model::Condition>, OutcomeError> {
    let conditions = each("conditions", at_most(CONDITIONS, "conditions", conditions)?, condition)?;
    let mut seen = HashSet::new();
    match conditions.iter().find(|condition| !seen.insert(&condition.kind)) {
        Some(twice) => Err(Fault::Duplicate(twice.kind.clone()).of("conditions")),
        None => Ok(conditions),
    }
}

fn condition(condition: wit::Condition) -> Result<model::Condition, OutcomeError> {
    // As the API server validates conditions.
    let letters = |text: &str, more: &[char]| {
        text.len() <= 316
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
            && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    };
    if !letters(&condition.type_, &['-', '_', '.', '/']) {
        return Err(Fault::NotCamelCase(message(condition.type_)).of("type"));
    }
    if !letters(&condition.reason, &['_', ',', ':']) {
        return Err(Fault::NotCamelCase(message(condition.reason)).of("reason"));
    }
    Ok(model::Condition {
        kind: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: message(condition.message),
    })
}

fn at_most<T>(most: usize, field: &str, items: Vec<T>) -> Result<Vec<T>, OutcomeError> {
    if items.len() > most { Err(Fault::TooMany { given: items.len(), most }.of(field)) } else { Ok(items) }
}

/// Parses each item, and puts its index before the field that is wrong in it.
fn each<T, U>(
    field: &str,
    items: Vec<T>,
    parse: impl Fn(T) -> Result<U, OutcomeError>,
) -> Result<Vec<U>, OutcomeError> {
    let item = |(at, item)| parse(item).map_err(|error| error.within(&format!("{field}[{at}]")));
    items.into_iter().enumerate().map(item).collect()
}

fn map(text: &str) -> Result<Value, Fault> {
    let value = json(text)?;
    if value.is_object() { Ok(value) } else { Err(Fault::NotAnObject) }
}

/// Checks that a document names the Kubernetes object that it is.
fn identified(value: Value) -> Result<Value, Fault> {
    let text = |at: &str, field| {
        let text = value.pointer(at).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or(Fault::Unidentified(field))
    };
    let kind = model::Kind::parse(text("/apiVersion", "apiVersion")?, text("/kind", "kind")?)?;
    let namespace = value.pointer("/metadata/namespace").and_then(Value::as_str).filter(|text| !text.is_empty());
    model::ObjectRef::parse(kind, namespace, text("/metadata/name", "metadata.name")?)?;
    Ok(value)
}

fn message(text: String) -> String {
    line(text, MESSAGE)
}

impl Fault {
    fn of(self, field: &str) -> OutcomeError {
        OutcomeError { field: field.to_owned(), fault: self }
    }
}

impl OutcomeError {
    fn within(self, item: &str) -> Self {
        let field = if self.field.is_empty() { item.to_owned() } else { format!("{item}.{}", self.field) };
        Self { field, ..self }
    }
}

#[cfg(test)]
mod tests;
