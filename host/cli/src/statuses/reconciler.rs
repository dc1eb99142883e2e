//! The status of a Reconciler object: whether it is loaded, ordered and ready, and its subjects.

use std::collections::HashMap;

use mizzen_config::document::{ReconcilerStatus, SubjectCounts};
use mizzen_engine::{NodeSnapshot, State};
use mizzen_model::Object;

use super::condition::Condition;

/// The problems of each loaded reconciler's newest revision, by name.
pub(super) type Load = HashMap<String, Vec<String>>;

/// The status that a reconciler should have. `invalid` has the problems of its document.
pub(super) fn status(
    object: &Object,
    node: Option<&NodeSnapshot>,
    invalid: &str,
    load: &Load,
    before: &ReconcilerStatus,
) -> ReconcilerStatus {
    let conditions =
        [("Loaded", loaded(object, load)), ("Ordered", ordered(object, invalid, load)), ("Ready", ready(node))];
    let whole =
        |(kind, condition): (&str, Condition)| condition.into_status(kind, &before.conditions, object.generation);
    ReconcilerStatus {
        observed_generation: Some(object.generation),
        digest: node.and_then(|node| node.digest).map(|digest| digest.to_string()),
        subjects: node.map(|node| SubjectCounts { total: node.subjects, ready: node.ready, failed: node.failed }),
        last_error: node.and_then(|node| node.last_error.clone()),
        conditions: conditions.into_iter().map(whole).collect(),
    }
}

fn loaded(object: &Object, load: &Load) -> Condition {
    match load.get(&*object.reference.name) {
        Some(problems) if problems.is_empty() => Condition::met("Loaded", "the newest component is loaded"),
        Some(problems) => Condition::unmet("LoadFailed", problems.join("; ")),
        None => Condition::unmet("NotOrdered", "the component is loaded once the reconciler has a place in the order"),
    }
}

fn ordered(object: &Object, invalid: &str, load: &Load) -> Condition {
    if !invalid.is_empty() {
        return Condition::unmet("Invalid", invalid);
    }
    if load.contains_key(&*object.reference.name) {
        return Condition::met("Ordered", "the reconciler has a place in the order");
    }
    let missing = predecessors(object).into_iter().filter(|name| !load.contains_key(name));
    let missing: Vec<_> = missing.map(|name| format!("`{name}`")).collect();
    Condition::unmet(
        "PredecessorInvalid",
        format!("a predecessor is invalid or not configured: {}", missing.join(", ")),
    )
}

/// The names in `spec.after` and `spec.afterAny`.
fn predecessors(object: &Object) -> Vec<String> {
    let value = object.value();
    let names = |field: &str| {
        let names = value["spec"][field].as_array().cloned().unwrap_or_default();
        names.into_iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    [names("after"), names("afterAny")].concat()
}

fn ready(node: Option<&NodeSnapshot>) -> Condition {
    let Some(node) = node else {
        return Condition::unmet("NotRunning", "see the conditions `Loaded` and `Ordered`");
    };
    match &node.state {
        State::Unloaded(_) => Condition::unmet("NotLoaded", "see the condition `Loaded`"),
        State::Syncing => Condition::unmet("Listing", "listing the objects that the plugin reads"),
        State::Blocked(why) => Condition::unmet("Blocked", why),
        State::Paused => Condition::unmet("Paused", "`spec.mode` is `Paused`: the plugin is not called"),
        State::Running => running(node),
    }
}

fn running(node: &NodeSnapshot) -> Condition {
    let NodeSnapshot { subjects, failed, .. } = node;
    if *failed > 0 {
        return Condition::unmet("Failing", format!("reconciles of {failed} of {subjects} subjects fail"));
    }
    if let Some(predecessor) = &node.gated {
        return Condition::unmet("WaitingForPredecessor", predecessor);
    }
    match node.planned {
        Some(plan) => Condition::met(
            "Planning",
            format!("`spec.mode` is `Plan`: nothing is written; {plan}; see the log for names"),
        ),
        None => Condition::met("Running", format!("{subjects} subjects, none of which fails")),
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::Fields;
    use serde_json::json;

    use super::*;

    fn object() -> Object {
        let document = json!({
            "apiVersion": "mizzen.dev/v1alpha1", "kind": "Reconciler", "metadata": {"name": "r"},
            "spec": {"after": ["good", "bad"], "afterAny": ["absent"]},
        });
        Object::new(document, &Fields::Whole).unwrap()
    }

    fn conditions(invalid: &str, loaded: &[&str]) -> Vec<String> {
        let load = loaded.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let status = status(&object(), None, invalid, &load, &ReconcilerStatus::default());
        status
            .conditions
            .into_iter()
            .map(|own| format!("{} {} {}: {}", own.kind, own.status, own.reason, own.message))
            .collect()
    }

    #[test]
    fn a_reconciler_that_is_not_ordered_names_its_invalid_predecessors() {
        let named = "Ordered False PredecessorInvalid: a predecessor is invalid or not configured: `bad`, `absent`";
        assert_eq!(conditions("", &["good"])[1], named);
    }

    #[test]
    fn the_problems_of_a_document_come_before_those_of_its_predecessors() {
        assert_eq!(conditions("spec.after: wrong", &["good"])[1], "Ordered False Invalid: spec.after: wrong");
    }

    #[test]
    fn every_condition_has_a_message() {
        for condition in conditions("", &["good", "r"]).into_iter().chain(conditions("", &[])) {
            assert!(condition.split_once(": ").is_some_and(|(_, message)| !message.is_empty()), "{condition}");
        }
    }
}
