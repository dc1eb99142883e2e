//! An outcome, checked against the grants and made ready to be written: nothing after this asks again whether it may.

mod definitions;
pub(crate) mod patches;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Cluster, OWNER_LABEL, RECONCILER_LABEL, ReadError};
use mizzen_model::{
    Access, Condition, Deletion, Digest, Event, Kind, Object, ObjectRef, Outcome, Patch, Readiness, Wanted, canonical,
};
use serde_json::{Map, Value, json};

use crate::names::{APPLIED_ANNOTATION, NEVER, PRUNE_ANNOTATION, owner_label};
use crate::plugin::Plugin;
use crate::prepare::definitions::defined;
use crate::prepare::patches::{Contradiction, merged};

/// An outcome that may be written.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) readiness: Readiness,
    /// `None`: not known now.
    pub(crate) desired: Option<Desired>,
    /// With digests of their fields.
    pub(crate) patches: Vec<(Patch, Digest)>,
    pub(crate) deletions: Vec<Deletion>,
    /// The status's own fields, as compact JSON of an object: as with documents.
    pub(crate) status: Box<str>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) events: Vec<Event>,
    pub(crate) requeue_after: Option<Duration>,
    /// Whether something wanted would outlive the subject unless the host sees to it.
    pub(crate) outlives_subject: bool,
}

/// The objects that are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// In the plugin's order, which is the one they are applied in.
    pub(crate) objects: Vec<Item>,
    /// Whether they are all there are, so that what is not among them may go.
    pub(crate) complete: bool,
    /// The kinds that they define, and whether those live in namespaces.
    pub(crate) defined: HashMap<Kind, bool>,
}

/// One wanted object, with everything the host adds to it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) reference: ObjectRef,
    /// The document as compact JSON: there may be thousands, and each is looked at rarely.
    pub(crate) document: Box<str>,
    /// Digest of the document without [`APPLIED_ANNOTATION`], whose value it is.
    pub(crate) digest: Digest,
    /// Whether it may take over fields that other managers own.
    pub(crate) force: bool,
    /// The resource version of it that the plugin read when it wanted this; `None`: it has not read it, or there was none.
    pub(crate) read: Option<u64>,
}

/// Why an outcome is not written. Nothing of it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Not declared or not granted.
    #[error("{0}")]
    Denied(String),
    /// Makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Two patches that can't both be made.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// Can't be judged now.
    #[error(transparent)]
    Unknown(#[from] ReadError),
}

/// Checks an outcome and makes it ready.
pub(crate) async fn prepare(
    plugin: &Plugin,
    subject: &Object,
    outcome: Outcome,
    cluster: &Arc<dyn Cluster>,
) -> Result<Prepared, Refusal> {
    let mut outlives_subject = false;
    let mut desired = None;
    if let Some(wanted) = outcome.desired {
        let (documents, complete) = match wanted {
            Wanted::All(documents) => (documents, true),
            Wanted::SoFar(documents) => (documents, false),
        };
        let defined = defined(&documents);
        let mut objects = Vec::with_capacity(documents.len());
        let mut seen = HashSet::new();
        for document in documents {
            let (object, outlives) = want(plugin, subject, document, &defined, cluster).await?;
            if !seen.insert(object.reference.clone()) {
                return Err(Refusal::Invalid(format!("{} is wanted twice", object.reference)));
            }
            outlives_subject |= outlives;
            objects.push(object);
        }
        desired = Some(Desired { objects, complete, defined });
    }
    for (access, object) in outcome
        .patches
        .iter()
        .map(|patch| (Access::Patch, &patch.object))
        .chain(outcome.deletions.iter().map(|deletion| (Access::Delete, &deletion.object)))
    {
        permit(plugin, access, &object.kind, object.namespace.as_deref())?;
    }
    let status = outcome.status.unwrap_or_else(|| json!({}));
    match &status {
        Value::Object(fields) if !fields.contains_key("conditions") => {}
        Value::Object(_) => {
            return Err(Refusal::Invalid("the status has `conditions`: give them as the outcome's conditions".into()));
        }
        other => return Err(Refusal::Invalid(format!("the status is not an object but `{other}`"))),
    }
    Ok(Prepared {
        readiness: outcome.readiness,
        desired,
        patches: merged(outcome.patches)?.into_iter().map(digested).collect(),
        deletions: outcome.deletions,
        status: canonical::text(&status).into(),
        conditions: outcome.conditions,
        events: outcome.events,
        requeue_after: outcome.requeue_after,
        outlives_subject,
    })
}

fn digested(patch: Patch) -> (Patch, Digest) {
    let digest = Digest::of_json(&patch.fragment);
    (patch, digest)
}

/// Lets an access through that was declared and granted; gives whether it may use force.
fn permit(plugin: &Plugin, access: Access, kind: &Kind, namespace: Option<&str>) -> Result<bool, Refusal> {
    let name = plugin.name();
    if !plugin.invoke.description().declares(access, kind) {
        return Err(Refusal::Denied(format!(
            "`{name}` wants to {access} {kind}, which it did not declare in `describe`"
        )));
    }
    plugin.reconciler.grants.find(access, kind, namespace).map(|grant| grant.force).ok_or_else(|| {
        let place = namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
        Refusal::Denied(format!(
            "`{name}` wants to {access} {kind}{place}, which is not granted: add it to `spec.grants.{access}`"
        ))
    })
}

async fn want(
    plugin: &Plugin,
    subject: &Object,
    mut document: Value,
    defined: &HashMap<Kind, bool>,
    cluster: &Arc<dyn Cluster>,
) -> Result<(Item, bool), Refusal> {
    let mut object = Object::reference_of(&document).map_err(|e| Refusal::Invalid(e.to_string()))?;
    let namespaced = match (cluster.facts(&object.kind).await, defined.get(&object.kind)) {
        (Err(ReadError::NotServed(_)), Some(namespaced)) => *namespaced,
        (facts, _) => facts?.namespaced,
    };
    if !namespaced {
        object.namespace = None;
    } else if object.namespace.is_none() {
        return Err(Refusal::Invalid(format!("{object} needs a namespace")));
    }
    let ObjectRef { kind, namespace, .. } = &object;
    let force = permit(plugin, Access::Apply, kind, namespace.as_deref())?;
    let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err(Refusal::Invalid(format!("{object} has no metadata")));
    };
    for hosts in
        ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "ownerReferences", "finalizers"]
    {
        if metadata.contains_key(hosts) {
            return Err(Refusal::Invalid(format!("{object} has `metadata.{hosts}`, which is not a plugin's to set")));
        }
    }
    if namespace.is_none() {
        metadata.remove("namespace");
    }
    let labels = strings(metadata, "labels", &object)?;
    labels.insert(RECONCILER_LABEL.into(), plugin.name().into());
    labels.insert(OWNER_LABEL.into(), owner_label(plugin.name(), &subject.reference).into());
    let survives = match strings(metadata, "annotations", &object)?.get(PRUNE_ANNOTATION) {
        None => false,
        Some(value) if value == NEVER => true,
        Some(other) => {
            let message = format!("{object} has `{PRUNE_ANNOTATION}: {other}`; only `{NEVER}` means something");
            return Err(Refusal::Invalid(message));
        }
    };
    // An owner reference can't cross namespaces, nor lead from the cluster into one; and what is to survive must have none. Who finalizes says
    // itself what goes, and in which order: the garbage collector would not ask, and take half, once the reconciler was replaced by one
    // that does not, or by nobody.
    let same_place = subject.reference.namespace.is_none() || subject.reference.namespace == *namespace;
    let can_own = same_place && !survives && !plugin.invoke.description().finalizes;
    if can_own {
        let owner = &subject.reference;
        metadata.insert(
            "ownerReferences".into(),
            json!([{"apiVersion": owner.kind.api_version, "kind": owner.kind.name, "name": owner.name, "uid": subject.uid,
                    "controller": true}]),
        );
    }
    let digest = Digest::of_json(&document);
    // Both are objects: `strings` has seen to it.
    document["metadata"]["annotations"][APPLIED_ANNOTATION] = digest.short().into();
    let wanted = Item { reference: object, document: canonical::text(&document).into(), digest, force, read: None };
    Ok((wanted, !can_own))
}

/// A map of texts in an object's metadata, made if it is not there. Null is not there, as to the API server: renderers write it.
fn strings<'a>(
    metadata: &'a mut Map<String, Value>,
    field: &str,
    object: &ObjectRef,
) -> Result<&'a mut Map<String, Value>, Refusal> {
    let map = metadata.entry(field).or_insert(Value::Null);
    if map.is_null() {
        *map = json!({});
    }
    match map {
        Value::Object(map) if map.values().all(Value::is_string) => Ok(map),
        _ => Err(Refusal::Invalid(format!("{object} has a `metadata.{field}` that is not a map of texts"))),
    }
}

// === impl Prepared ===

impl Prepared {
    /// The status's own fields as a tree.
    pub(crate) fn status(&self) -> Map<String, Value> {
        serde_json::from_str(&self.status).unwrap_or_default()
    }

    /// The objects that are wanted, if that is known.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.desired.iter().flat_map(|desired| &desired.objects)
    }

    /// Notes in which versions the plugin read what it wants.
    pub(crate) fn after_reading(mut self, versions: &HashMap<ObjectRef, u64>) -> Self {
        for item in self.desired.iter_mut().flat_map(|desired| &mut desired.objects) {
            item.read = versions.get(&item.reference).copied();
        }
        self
    }
}

// === impl Item ===

impl Item {
    /// The document as a tree.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.document).unwrap_or_default()
    }
}
