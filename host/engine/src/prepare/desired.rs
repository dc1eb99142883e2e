//! The desired objects, checked, and completed with everything that the host adds.

use std::collections::{HashMap, HashSet};

use mizzen_cluster::{
    APPLIED_ANNOTATION, Cluster, OWNER_LABEL, Owner, Ownership, OwnershipKeys, RECONCILER_LABEL, ReadError,
};
use mizzen_model::{Access, Digest, Kind, Object, ObjectRef, Wanted, canonical};
use serde_json::{Map, Value, json};

use super::definitions::defined;
use super::permit::{permit, permit_kind};
use super::refusal::Refusal;
use crate::identity::Identity;
use crate::names::{ADOPTED_ANNOTATION, NEVER, PRUNE_ANNOTATION, is_reserved, owner_label};
use crate::plugin::Plugin;

/// The fields of `metadata` that are set by the API server or the host.
const RESERVED: [&str; 7] =
    ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "ownerReferences", "finalizers"];

/// The desired objects of an outcome.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// In the plugin's order, in which they are applied.
    pub(crate) objects: Vec<Item>,
    /// Whether these are all, so that other owned objects are pruned.
    pub(crate) complete: bool,
    /// The kinds that they define, and whether objects of those are namespaced.
    pub(crate) defined: HashMap<Kind, bool>,
}

/// One desired object, with everything that the host adds to it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) reference: ObjectRef,
    /// The document as compact JSON: there may be thousands, and each is parsed rarely.
    pub(crate) document: Box<str>,
    /// Digest of the document without [`APPLIED_ANNOTATION`], which has it beside the mark.
    pub(crate) digest: Digest,
    /// How the object is owned once it is created: part of its mark.
    pub(crate) ownership: Ownership,
    /// The mark in [`APPLIED_ANNOTATION`].
    pub(crate) mark: Box<str>,
    /// Whether an apply may take over fields of other managers.
    pub(crate) force: bool,
    /// Whether an object that exists already may be adopted, also without the consent of its owner.
    pub(crate) adopt: bool,
    /// Whether it outlives its subject unless the host deletes it.
    pub(crate) outlives_subject: bool,
    /// The resource version that the plugin read before it wanted this; `None`: it did not read the object, or the
    /// object did not exist.
    pub(crate) read: Option<u64>,
}

/// What the preparation of each desired object depends on.
struct Preparation<'a> {
    plugin: &'a Plugin,
    subject: &'a Object,
    cluster: &'a dyn Cluster,
    keys: &'a OwnershipKeys,
    owner: String,
    defined: HashMap<Kind, bool>,
}

/// Prepares the desired objects of an outcome.
///
/// # Errors
/// An object is not valid, not declared or not granted, desired twice, or its kind can't be looked up.
pub(super) async fn desired(
    plugin: &Plugin,
    subject: &Object,
    cluster: &dyn Cluster,
    keys: &OwnershipKeys,
    wanted: Wanted,
) -> Result<Desired, Refusal> {
    let (documents, complete) = match wanted {
        Wanted::All(documents) => (documents, true),
        Wanted::SoFar(documents) => (documents, false),
    };
    let owner = owner_label(plugin.name(), &subject.reference);
    let preparation = Preparation { plugin, subject, cluster, keys, owner, defined: defined(&documents) };
    let mut objects = Vec::with_capacity(documents.len());
    for document in documents {
        objects.push(preparation.item(document).await?);
    }
    let mut seen = HashSet::new();
    if let Some(item) = objects.iter().find(|item: &&Item| !seen.insert(Identity::of(&item.reference))) {
        return Err(Refusal::Invalid(format!("{} is wanted twice", item.reference)));
    }
    Ok(Desired { objects, complete, defined: preparation.defined })
}

// === impl Preparation ===

impl Preparation<'_> {
    async fn item(&self, mut document: Value) -> Result<Item, Refusal> {
        let reference = self.reference(&document).await?;
        let grant = permit(self.plugin, Access::Apply, &reference.kind, reference.namespace.as_deref())?;
        let metadata = metadata(&mut document, &reference)?;
        if reference.namespace.is_none() {
            metadata.remove("namespace");
        }
        let labels = strings(metadata, "labels", &reference)?;
        refuse_reserved(labels, &reference)?;
        labels.insert(RECONCILER_LABEL.into(), self.plugin.name().into());
        labels.insert(OWNER_LABEL.into(), self.owner.as_str().into());
        let annotations = strings(metadata, "annotations", &reference)?;
        refuse_reserved(annotations, &reference)?;
        let never_pruned = is_never_pruned(annotations, &reference)?;
        let ownership = if never_pruned { Ownership::NeverPruned } else { Ownership::Created };
        let collected = !never_pruned && self.is_garbage_collected(&reference);
        if collected {
            metadata.insert("ownerReferences".into(), json!([self.owner_reference()]));
        }
        let digest = Digest::of_json(&document);
        // Both are objects: `strings` has seen to it.
        let owner = Owner { reconciler: self.plugin.name(), label: &self.owner };
        let mark = self.keys.mark(owner, &reference, ownership).into_boxed_str();
        document["metadata"]["annotations"][APPLIED_ANNOTATION] = applied(&mark, digest).into();
        Ok(Item {
            reference,
            document: canonical::text(&document).into(),
            digest,
            ownership,
            mark,
            force: grant.force,
            adopt: grant.adopt,
            outlives_subject: !collected,
            read: None,
        })
    }

    /// The object of a document, without a namespace if the kind is cluster-scoped.
    async fn reference(&self, document: &Value) -> Result<ObjectRef, Refusal> {
        let mut object = Object::reference_of(document).map_err(|error| Refusal::Invalid(error.to_string()))?;
        permit_kind(self.plugin, Access::Apply, &object.kind)?;
        let namespaced = match (self.cluster.facts(&object.kind).await, self.defined.get(&object.kind)) {
            (Err(ReadError::NotServed(_)), Some(namespaced)) => *namespaced,
            (facts, _) => facts?.namespaced,
        };
        if !namespaced {
            object.namespace = None;
        } else if object.namespace.is_none() {
            return Err(Refusal::Invalid(format!("{object} needs a namespace")));
        }
        Ok(object)
    }

    /// Whether the garbage collector may delete an object with its subject.
    ///
    /// An owner reference can't cross namespaces, or lead from a cluster-scoped object to a namespaced one. A
    /// reconciler that finalizes deletes its objects itself, in its own order: if it is replaced by one that does
    /// not, the garbage collector must not delete only some of them.
    fn is_garbage_collected(&self, object: &ObjectRef) -> bool {
        let subject = &self.subject.reference;
        let same_place = subject.namespace.is_none() || subject.namespace == object.namespace;
        same_place && !self.plugin.invoke.description().finalizes
    }

    fn owner_reference(&self) -> Value {
        let owner = &self.subject.reference;
        json!({"apiVersion": owner.kind.api_version, "kind": owner.kind.name, "name": owner.name,
               "uid": self.subject.uid, "controller": true})
    }
}

/// The metadata of a document, without fields that are not the plugin's to set.
fn metadata<'a>(document: &'a mut Value, object: &ObjectRef) -> Result<&'a mut Map<String, Value>, Refusal> {
    let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err(Refusal::Invalid(format!("{object} has no metadata")));
    };
    match RESERVED.iter().find(|field| metadata.contains_key(**field)) {
        None => Ok(metadata),
        Some(field) => {
            Err(Refusal::Invalid(format!("{object} has `metadata.{field}`, which a plugin may not set: leave it out")))
        }
    }
}

/// Refuses labels and annotations by which the host recognises objects, except the one that a plugin may set.
fn refuse_reserved(map: &Map<String, Value>, object: &ObjectRef) -> Result<(), Refusal> {
    match map.keys().find(|key| is_reserved(key) && **key != PRUNE_ANNOTATION) {
        None => Ok(()),
        Some(key) => Err(Refusal::Invalid(format!("{object} has `{key}`, which only the host may set: leave it out"))),
    }
}

/// Whether the annotations exclude an object from pruning.
fn is_never_pruned(annotations: &Map<String, Value>, object: &ObjectRef) -> Result<bool, Refusal> {
    match annotations.get(PRUNE_ANNOTATION) {
        None => Ok(false),
        Some(value) if value == NEVER => Ok(true),
        Some(other) => Err(Refusal::Invalid(format!(
            "{object} has `{PRUNE_ANNOTATION}: {other}`; the only valid value is `{NEVER}`"
        ))),
    }
}

/// A map of strings in the metadata of an object, created if absent. Null counts as absent, as for the API server:
/// renderers write it.
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
        _ => Err(Refusal::Invalid(format!("{object} has a `metadata.{field}` that is not a map of strings"))),
    }
}

// === impl Desired ===

impl Desired {
    /// The objects, whatever their versions.
    pub(crate) fn identities(&self) -> HashSet<Identity<'_>> {
        self.objects.iter().map(|item| Identity::of(&item.reference)).collect()
    }
}

// === impl Item ===

impl Item {
    /// The document as a tree.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.document).unwrap_or_default()
    }

    /// The document for an object that is adopted, with its mark. It has no owner reference: the
    /// garbage collector must not delete what existed before.
    pub(crate) fn adopting(&self, mark: &str) -> Value {
        let mut document = self.value();
        if let Some(metadata) = document["metadata"].as_object_mut() {
            metadata.remove("ownerReferences");
        }
        let annotations = &mut document["metadata"]["annotations"];
        annotations[APPLIED_ANNOTATION] = applied(mark, self.digest).into();
        annotations[ADOPTED_ANNOTATION] = "true".into();
        document
    }
}

/// The value of [`APPLIED_ANNOTATION`].
fn applied(mark: &str, digest: Digest) -> String {
    format!("{mark}.{}", digest.short())
}
