//! The subject's status: the reconciler's own fields, and a condition that says how it went, written also when it went wrong.

use std::sync::Arc;

use mizzen_cluster::{Apply, KindFacts, Target, WriteError};
use mizzen_model::{Condition, Object, canonical};
use serde_json::{Map, Value, json};

use super::{Claim, Writer, drift};
use crate::memo::Written;
use crate::names;
use crate::observe::Verb;

/// What a status shall say.
pub(crate) struct Report<'a> {
    /// The reconciler's own fields; `None`: not known now, so they stay as they are.
    pub(crate) fields: Option<Map<String, Value>>,
    /// The reconciler's own conditions.
    pub(crate) conditions: &'a [Condition],
    /// How the reconcile went, under the type `mizzen.dev/<reconciler>`.
    pub(crate) outcome: Condition,
}

impl Writer<'_> {
    /// Writes the subject's status unless it says all this already.
    pub(crate) async fn report(
        &mut self,
        report: &Report<'_>,
        facts: &KindFacts,
        live: &Arc<Object>,
    ) -> Result<(), WriteError> {
        let was = canonical::part(live.json(), "status");
        let mine: Vec<_> = report.conditions.iter().chain([&report.outcome]).collect();
        let fresh: Vec<Value> = mine.iter().map(|condition| self.condition(condition, facts, &was)).collect();
        let conditions = if facts.conditions_by_type { fresh } else { merged(&was, fresh) };
        if report.fields.as_ref().is_none_or(|fields| fields.iter().all(|(key, value)| drift::holds(&was[key], value)))
            && conditions.iter().all(|condition| says(&was, condition))
        {
            return Ok(());
        }
        let mut status = report.fields.clone().unwrap_or_default();
        status.insert("conditions".into(), conditions.into());
        let subject = self.subject.reference.clone();
        let mut metadata = json!({"name": subject.name, "uid": live.uid});
        if let Some(namespace) = &subject.namespace {
            metadata["namespace"] = json!(namespace);
        }
        let document = json!({"apiVersion": subject.kind.api_version, "kind": subject.kind.name, "metadata": metadata, "status": status});
        // Without its own fields a reconciler would give up those it wrote before: a manager of its own says that it failed.
        let name = self.plugin.name();
        let manager = if report.fields.is_some() { names::field_manager(name) } else { names::failure_manager(name) };
        let apply = Apply { manager: &manager, document: &document, target: Target::Status, force: false };
        // A list of conditions that is not keyed by type has one owner at a time, and our text holds everybody's.
        let claim = if facts.conditions_by_type && report.fields.is_some() { Claim::Ours } else { Claim::Force };
        let after = self.claim(apply, claim).await?;
        self.settle(&after, Written::Status);
        if after.json() != live.json() {
            let hides = apart_from(report, live) != apart_from(report, &after);
            self.wrote(Verb::Status, &subject, Some(Arc::clone(live)), Some(after));
            if hides {
                // Others have written since we last looked: this version is not only ours.
                self.changes.pop();
            }
        }
        Ok(())
    }

    fn condition(&self, condition: &Condition, facts: &KindFacts, was: &Value) -> Value {
        let status = match condition.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let before = of_type(was, &condition.kind).filter(|before| before["status"] == status);
        let since =
            before.and_then(|before| before["lastTransitionTime"].as_str().map(str::to_owned)).unwrap_or_else(now);
        let mut value = json!({"type": condition.kind, "status": status, "reason": condition.reason,
                               "message": condition.message, "lastTransitionTime": since});
        // Where the status is no subresource, writing it counts up the generation: what was observed would never be the latest.
        if facts.status_subresource {
            value["observedGeneration"] = json!(self.subject.generation);
        }
        value
    }
}

/// What a subject says apart from what a report says of it. Its generation says nothing by itself, and where the status is no subresource, a
/// report counts it up.
fn apart_from(report: &Report<'_>, subject: &Object) -> (String, Value) {
    let rest = canonical::without(subject.json(), &[&["status"], &["metadata", "generation"]]);
    let mut status = canonical::part(subject.json(), "status");
    let own = |kind: &Value| report.conditions.iter().chain([&report.outcome]).any(|own| *kind == *own.kind);
    if let Some(status) = status.as_object_mut() {
        status.retain(|field, _| report.fields.as_ref().is_none_or(|fields| !fields.contains_key(field)));
        if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
            conditions.retain(|condition| !own(&condition["type"]));
        }
        // The first to write a status makes its lists.
        status.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    }
    if status.as_object().is_some_and(Map::is_empty) {
        status = Value::Null;
    }
    (rest, status)
}

/// The conditions there are, with ours in place of their former selves.
fn merged(was: &Value, fresh: Vec<Value>) -> Vec<Value> {
    let is_fresh = |kind: &Value| fresh.iter().any(|condition| condition["type"] == *kind);
    let mut all: Vec<_> =
        was["conditions"].as_array().into_iter().flatten().filter(|own| !is_fresh(&own["type"])).cloned().collect();
    all.extend(fresh);
    all.sort_by(|a, b| a["type"].as_str().cmp(&b["type"].as_str()));
    all
}

fn of_type<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn says(status: &Value, condition: &Value) -> bool {
    condition["type"].as_str().and_then(|kind| of_type(status, kind)).is_some_and(|own| drift::holds(own, condition))
}

/// Now, as Kubernetes writes times.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
