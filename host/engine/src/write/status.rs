//! The subject's status: the reconciler's own fields and conditions, and the condition of the reconcile.

use std::sync::Arc;

use mizzen_cluster::{Apply, KindFacts, Target, WriteError};
use mizzen_model::{Condition, Object, canonical};
use serde_json::{Map, Value, json};

use super::change::Change;
use super::conflict::ConflictPolicy;
use super::drift;
use super::report::Report;
use super::writer::Writer;
use crate::memo::WrittenPart;
use crate::names;
use crate::observe::Verb;

impl Writer {
    /// Writes the subject's status unless it says all this already.
    pub(crate) async fn report(
        &mut self,
        report: &Report<'_>,
        facts: &KindFacts,
        live: &Arc<Object>,
    ) -> Result<(), WriteError> {
        let was = canonical::part(live.json(), "status");
        let own: Vec<_> = report.conditions.iter().chain([&report.outcome]).collect();
        let fresh: Vec<Value> = own.iter().map(|condition| self.condition(condition, facts, &was)).collect();
        let conditions = if facts.conditions_by_type { fresh } else { merged(&was, fresh) };
        if is_reported(&was, report, &conditions) {
            return Ok(());
        }
        let mut status = report.fields.clone().unwrap_or_default();
        status.insert("conditions".into(), conditions.into());
        let mut document = self.subject.reference.document(&live.uid);
        document["status"] = status.into();
        let after = self.apply_status(&document, report, facts).await?;
        self.record_write(&after, WrittenPart::Status);
        if after.json() != live.json() {
            let hides_another = apart_from(report, live) != apart_from(report, &after);
            let subject = self.subject.reference.clone();
            self.wrote(Verb::Status, &subject, Change { before: Some(Arc::clone(live)), after: Some(after) });
            if hides_another {
                // Another manager wrote since the store was read: this version is not only ours.
                self.changes.pop();
            }
        }
        Ok(())
    }

    /// Removes what the reconciler wrote of a status.
    pub(crate) async fn withdraw_status(&mut self, facts: &KindFacts, live: &Arc<Object>) -> Result<(), WriteError> {
        let name = self.plugin.name();
        if !names::has_condition(live, name) {
            return Ok(());
        }
        let mut document = self.subject.reference.document(&live.uid);
        document["status"] = json!({});
        if !facts.conditions_by_type {
            let mut others = merged(&canonical::part(live.json(), "status"), Vec::new());
            others.retain(|condition| condition["type"] != *names::field_manager(name));
            document["status"]["conditions"] = others.into();
        }
        // The condition may be that of a failure, under its own manager.
        let mut after = Arc::clone(live);
        for manager in [names::failure_manager(name), names::field_manager(name)] {
            let apply = Apply { manager: &manager, document: &document, target: Target::Status, force: false };
            let policy = ConflictPolicy::Status { conditions_by_type: facts.conditions_by_type };
            after = self.apply(apply, policy, None).await?;
        }
        let subject = self.subject.reference.clone();
        self.wrote(Verb::Status, &subject, Change { before: Some(Arc::clone(live)), after: Some(after) });
        Ok(())
    }

    #[tracing::instrument(name = "apply", level = "debug", skip_all, fields(object = %self.subject.reference))]
    async fn apply_status(
        &self,
        document: &Value,
        report: &Report<'_>,
        facts: &KindFacts,
    ) -> Result<Arc<Object>, WriteError> {
        // An apply without its own fields would remove those that the reconciler wrote earlier: a failure has a manager
        // of its own.
        let name = self.plugin.name();
        let manager = if report.fields.is_some() { names::field_manager(name) } else { names::failure_manager(name) };
        let apply = Apply { manager: &manager, document, target: Target::Status, force: false };
        self.apply(apply, ConflictPolicy::Status { conditions_by_type: facts.conditions_by_type }, None).await
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
        // Where the status is not a subresource, each write of it increments the generation: the observed one would
        // never be the latest.
        if facts.status_subresource {
            value["observedGeneration"] = json!(self.subject.generation);
        }
        value
    }
}

/// Whether a status has the fields and conditions of a report.
fn is_reported(was: &Value, report: &Report<'_>, conditions: &[Value]) -> bool {
    report.fields.iter().flatten().all(|(key, value)| drift::holds(&was[key], value))
        && conditions.iter().all(|condition| has_condition(was, condition))
}

/// A subject without what a report sets of it, and without its generation, which a report increments where the status
/// is not a subresource.
fn apart_from(report: &Report<'_>, subject: &Object) -> (String, Value) {
    let rest = canonical::without(subject.json(), &[&["status"], &["metadata", "generation"]]);
    let mut status = canonical::part(subject.json(), "status");
    let own = |kind: &Value| report.conditions.iter().chain([&report.outcome]).any(|own| *kind == *own.kind);
    if let Some(status) = status.as_object_mut() {
        status.retain(|field, _| report.fields.as_ref().is_none_or(|fields| !fields.contains_key(field)));
        if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
            conditions.retain(|condition| !own(&condition["type"]));
        }
        // The first write of a status creates its lists.
        status.retain(|_, value| value.as_array().is_none_or(|items| !items.is_empty()));
    }
    if status.as_object().is_some_and(Map::is_empty) {
        status = Value::Null;
    }
    (rest, status)
}

/// The conditions of a status, with those in `fresh` replaced or added, ordered by type.
fn merged(was: &Value, fresh: Vec<Value>) -> Vec<Value> {
    let is_fresh = |own: &&Value| fresh.iter().any(|condition| condition["type"] == own["type"]);
    let before = was["conditions"].as_array().into_iter().flatten();
    let mut all: Vec<_> = before.filter(|own| !is_fresh(own)).cloned().collect();
    all.extend(fresh);
    all.sort_by(|a, b| a["type"].as_str().cmp(&b["type"].as_str()));
    all
}

fn of_type<'a>(status: &'a Value, kind: &str) -> Option<&'a Value> {
    status["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

fn has_condition(status: &Value, condition: &Value) -> bool {
    condition["type"].as_str().and_then(|kind| of_type(status, kind)).is_some_and(|own| drift::holds(own, condition))
}

/// The current time, as Kubernetes writes times.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
