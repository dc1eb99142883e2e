//! What the host refuses in an outcome, as far as that is known without an API server.

use std::collections::HashSet;

use mizzen_model::object::ObjectError;
use mizzen_model::{Fields, Object};
use serde_json::Value;
use thiserror::Error;

use crate::describe::{Access, Description};
use crate::identity::Kind;
use crate::outcome::Outcome;

/// Metadata fields that only the host or the API server sets.
const HOSTS: [&str; 7] =
    ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "ownerReferences", "finalizers"];

/// Why the host refuses an outcome.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("{object} has `metadata.{field}`, which plugins may not set")]
    FieldOfHost { object: String, field: &'static str },
    #[error("{object} has `mizzen.dev/prune: {mark}`; the only valid value is `never`")]
    PruneMark { object: String, mark: Value },
    #[error("{0} is desired twice")]
    DesiredTwice(String),
    #[error("the patch of {0} is not an object")]
    Patch(String),
    #[error("the status has `conditions`: give them as the outcome's conditions")]
    Conditions,
    #[error("the status is not an object but `{0}`")]
    Status(Value),
    #[error("it wants to {verb} {kind}, which is not declared in `describe`: add `.{builder}(…)`")]
    Undeclared { verb: &'static str, kind: String, builder: &'static str },
}

/// Checks an outcome as the host does; the error is the host's.
pub(super) fn accept(description: &Description, outcome: &Outcome) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for document in outcome.desired.iter().flatten() {
        let object = Object::new(document.clone(), &Fields::identity())?;
        let kind = Kind::new(&object.reference.kind.api_version, &object.reference.kind.name);
        permit(description, Access::Apply, &kind)?;
        if let Some(field) = HOSTS.into_iter().find(|field| document["metadata"].get(field).is_some()) {
            return Err(Refusal::FieldOfHost { object: object.reference.to_string(), field });
        }
        let mark = &document["metadata"]["annotations"]["mizzen.dev/prune"];
        if !mark.is_null() && mark != "never" {
            return Err(Refusal::PruneMark { object: object.reference.to_string(), mark: mark.clone() });
        }
        if !seen.insert(object.reference.clone()) {
            return Err(Refusal::DesiredTwice(object.reference.to_string()));
        }
    }
    for patch in &outcome.patches {
        permit(description, Access::Patch, &patch.object.kind)?;
        if !patch.fragment.is_object() {
            return Err(Refusal::Patch(patch.object.name.clone()));
        }
    }
    for deletion in &outcome.deletions {
        permit(description, Access::Delete, &deletion.object.kind)?;
    }
    match &outcome.status {
        Some(Value::Object(status)) if status.contains_key("conditions") => Err(Refusal::Conditions),
        None | Some(Value::Object(_)) => Ok(()),
        Some(other) => Err(Refusal::Status(other.clone())),
    }
}

fn permit(description: &Description, access: Access, kind: &Kind) -> Result<(), Refusal> {
    if description.declares(access, kind) {
        return Ok(());
    }
    let (verb, builder) = match access {
        Access::Read => ("read", "reads"),
        Access::Apply => ("apply", "applies"),
        Access::Patch => ("patch", "patches"),
        Access::Delete => ("delete", "deletes"),
    };
    Err(Refusal::Undeclared { verb, kind: kind.name.clone(), builder })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Deletion, ObjectRef, Patch, object};

    fn kind(name: &str) -> Kind {
        Kind::new("v1", name)
    }

    /// The refusal of an outcome of a reconciler that applies Services and patches Pods.
    fn refusal(outcome: &Outcome) -> String {
        let description = Description::new("a", "1", "", kind("ConfigMap"))
            .applies(kind("Service"), "")
            .patches(kind("Pod"), "")
            .deletes(kind("Job"), "");
        accept(&description, outcome).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    fn reference(name: &str) -> ObjectRef {
        ObjectRef::new(kind(name), Some("ns"), "a")
    }

    #[test]
    fn declared_access_is_accepted() {
        let outcome = Outcome::ready()
            .desire([object(&kind("Service"), Some("ns"), "a", json!({}))])
            .patch(Patch::new(reference("Pod"), json!({"spec": {}}), "why"))
            .delete(Deletion::new(reference("Job"), "u", "why"))
            .status(json!({"a": 1}));
        assert_eq!(refusal(&outcome), "");
    }

    #[test]
    fn each_access_is_declared_separately() {
        let desired = object(&kind("Pod"), Some("ns"), "a", json!({}));
        assert!(refusal(&Outcome::ready().desire([desired])).ends_with("add `.applies(…)`"));
        let patch = Patch::new(reference("Service"), json!({}), "why");
        assert!(refusal(&Outcome::ready().patch(patch)).ends_with("add `.patches(…)`"));
        let deletion = Deletion::new(reference("Pod"), "u", "why");
        assert!(refusal(&Outcome::ready().delete(deletion)).ends_with("add `.deletes(…)`"));
    }

    #[test]
    fn an_object_is_complete_and_desired_once_and_sets_no_field_of_the_host() {
        let service = |content: Value| object(&kind("Service"), Some("ns"), "a", content);
        let desire = |objects: &[Value]| refusal(&Outcome::ready().desire(objects.to_vec()));
        assert!(desire(&[service(json!({})), service(json!({}))]).ends_with("is desired twice"));
        assert!(desire(&[json!({"kind": "Service"})]).contains("`apiVersion` is missing"));
        assert!(desire(&[service(json!({"metadata": {"finalizers": ["x"]}}))]).contains("`metadata.finalizers`"));
        assert_eq!(desire(&[crate::never_pruned(service(json!({})))]), "");
        let mark = json!({"metadata": {"annotations": {"mizzen.dev/prune": "no"}}});
        assert!(desire(&[service(mark)]).contains("the only valid value is `never`"));
    }

    #[test]
    fn a_status_is_an_object_and_its_conditions_are_separate() {
        assert!(refusal(&Outcome::ready().status(["a"])).starts_with("the status is not an object"));
        assert!(refusal(&Outcome::ready().status(json!({"conditions": []}))).contains("the outcome's conditions"));
    }
}
