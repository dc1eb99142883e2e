//! Between the contract's types and the host's. Whatever a guest says is parsed here, once, and refused here if it makes no sense.

use std::collections::BTreeMap;
use std::time::Duration;

use mizzen_model as model;
use mizzen_model::{Access, Fields, Selector};
use serde_json::Value;

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::{cluster, types};
use crate::error::LoadError;

/// The longest that a plugin can ask to be left alone for: what it wants is looked at once a day at least.
const LONGEST_REQUEUE: Duration = Duration::from_hours(24);

pub(crate) fn kind(kind: &types::Kind) -> model::Kind {
    model::Kind::new(&kind.api_version, &kind.name)
}

pub(crate) fn object_ref(object: types::ObjectRef) -> model::ObjectRef {
    model::ObjectRef::new(kind(&object.kind), object.namespace.as_deref(), object.name)
}

pub(crate) fn access_error(error: model::AccessError) -> types::AccessError {
    match error {
        model::AccessError::Denied(why) => types::AccessError::Denied(why),
        model::AccessError::NotServed(why) => types::AccessError::NotServed(why),
        model::AccessError::Unavailable(why) => types::AccessError::Unavailable(why),
        model::AccessError::Invalid(why) => types::AccessError::Invalid(why),
    }
}

pub(crate) fn query(query: cluster::Query) -> Result<model::Query, types::AccessError> {
    let selector = |text: &str| Selector::parse(text).map_err(|error| types::AccessError::Invalid(error.to_string()));
    Ok(model::Query {
        kind: kind(&query.kind),
        namespace: query.namespace.map(Into::into),
        labels: selector(&query.labels)?,
        namespace_labels: selector(&query.namespace_labels)?,
        fields: query.fields.map(Into::into),
    })
}

pub(crate) fn request(request: &model::Request) -> wit::Request {
    let predecessors = request.predecessors.iter().map(|predecessor| wit::Predecessor {
        name: predecessor.name.clone(),
        readiness: match predecessor.readiness.clone() {
            model::Readiness::Ready => wit::Readiness::Ready,
            model::Readiness::Progressing(why) => wit::Readiness::Progressing(why),
            model::Readiness::Warning(why) => wit::Readiness::Warning(why),
            model::Readiness::Failed(why) => wit::Readiness::Failed(why),
        },
    });
    wit::Request {
        subject: request.subject.clone(),
        config: request.config.clone(),
        predecessors: predecessors.collect(),
    }
}

pub(crate) fn failure(failure: wit::Failure) -> model::Failure {
    match failure {
        wit::Failure::Invalid(why) => model::Failure::Invalid(why),
        wit::Failure::Retry(why) => model::Failure::Retry(why),
    }
}

/// An outcome, with all its documents parsed; or which field makes no sense, and why.
pub(crate) fn outcome(outcome: wit::Outcome) -> Result<model::Outcome, String> {
    let desired = match outcome.desired {
        None => None,
        Some(documents) => Some(each("desired", documents, |text| object(json(&text)?))?),
    };
    let patches = each("patches", outcome.patches, |patch| {
        let fragment = json(&patch.fragment).map_err(|why| format!("fragment: {why}"))?;
        if !fragment.is_object() {
            return Err("fragment: not a JSON object".into());
        }
        Ok(model::Patch { object: object_ref(patch.object), fragment, pace: patch.pace, reason: patch.reason })
    })?;
    let status = outcome.status.map(|text| json(&text)).transpose().map_err(|why| format!("status: {why}"))?;
    if status.as_ref().is_some_and(|status| !status.is_object()) {
        return Err("status: not a JSON object".into());
    }
    let conditions = each("conditions", outcome.conditions, condition)?;
    let deletions = outcome.deletions.into_iter().map(|deletion| model::Deletion {
        object: object_ref(deletion.object),
        uid: deletion.uid,
        pace: deletion.pace,
        reason: deletion.reason,
    });
    let events = outcome.events.into_iter().map(|event| model::Event {
        regarding: event.regarding.map(object_ref),
        severity: match event.severity {
            wit::Severity::Normal => model::Severity::Normal,
            wit::Severity::Warning => model::Severity::Warning,
        },
        reason: event.reason,
        message: event.message,
    });
    Ok(model::Outcome {
        readiness: match outcome.readiness {
            wit::Readiness::Ready => model::Readiness::Ready,
            wit::Readiness::Progressing(why) => model::Readiness::Progressing(why),
            wit::Readiness::Warning(why) => model::Readiness::Warning(why),
            wit::Readiness::Failed(why) => model::Readiness::Failed(why),
        },
        desired,
        patches,
        deletions: deletions.collect(),
        status,
        conditions,
        events: events.collect(),
        requeue_after: outcome.requeue_after.map(|millis| Duration::from_millis(millis).min(LONGEST_REQUEUE)),
    })
}

/// A description, with its field paths and its schema parsed.
pub(crate) fn description(description: wit::Description) -> Result<model::Description, LoadError> {
    let wrong = |field: String, message: String| LoadError::Description { field, message };
    let config_schema = json(&description.config_schema).map_err(|why| wrong("config-schema".into(), why))?;
    for (field, text) in [("name", &description.name), ("version", &description.version)] {
        if text.is_empty() {
            return Err(wrong(field.into(), "is empty".into()));
        }
    }
    let mut field_sets = BTreeMap::new();
    for set in description.field_sets {
        let field = format!("field-sets.{}", set.name);
        let fields = Fields::parse(&set.paths).map_err(|error| wrong(field.clone(), error.to_string()))?;
        let set = (set.name, model::FieldSet { kind: kind(&set.kind), fields });
        if field_sets.insert(set.0, set.1).is_some() {
            return Err(wrong(field, "is declared twice".into()));
        }
    }
    let needs = description.needs.iter().map(|need| model::Need {
        kind: kind(&need.kind),
        access: match need.access {
            wit::Access::Read => Access::Read,
            wit::Access::Apply => Access::Apply,
            wit::Access::Patch => Access::Patch,
            wit::Access::Delete => Access::Delete,
        },
        why: need.why.clone(),
    });
    Ok(model::Description {
        needs: needs.collect(),
        name: description.name,
        version: description.version,
        summary: description.summary,
        subject: kind(&description.subject),
        config_schema,
        field_sets,
        credentials: description.credentials,
        renderers: description.renderers,
        finalizes: description.finalizes,
    })
}

fn condition(condition: wit::Condition) -> Result<model::Condition, String> {
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ':');
    if condition.type_.is_empty() {
        return Err("`type` is empty".into());
    }
    if condition.reason.is_empty() || !condition.reason.chars().all(well_formed) {
        return Err(format!("`reason` must be CamelCase, not `{}`", condition.reason));
    }
    Ok(model::Condition {
        kind: condition.type_,
        status: condition.status,
        reason: condition.reason,
        message: condition.message,
    })
}

fn each<T, U>(field: &str, items: Vec<T>, parse: impl Fn(T) -> Result<U, String>) -> Result<Vec<U>, String> {
    items.into_iter().enumerate().map(|(at, item)| parse(item).map_err(|why| format!("{field}[{at}]: {why}"))).collect()
}

/// Parses a guest's JSON. Nesting is bounded by `serde_json` (128 levels), which keeps a deep document from overflowing our stack.
fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

fn object(value: Value) -> Result<Value, String> {
    for (at, missing) in [("/apiVersion", "apiVersion"), ("/kind", "kind"), ("/metadata/name", "metadata.name")] {
        if value.pointer(at).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(format!("not a Kubernetes object: `{missing}` is missing or not a text"));
        }
    }
    Ok(value)
}
