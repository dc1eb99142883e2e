//! Objects that the host releases instead of deleting them: those that it adopted, and those that are never pruned.
//!
//! A `CustomResourceDefinition` is one of the latter: deleting it deletes all objects of its kind, of all parties.

use std::sync::Arc;

use mizzen_cluster::{APPLIED_ANNOTATION, Apply, OWNER_LABEL, Ownership, RECONCILER_LABEL, Target, WriteError};
use mizzen_model::Object;
use serde_json::{Map, Value};

use super::change::Change;
use super::conflict::ConflictPolicy;
use super::writer::Writer;
use crate::names::ADOPTED_ANNOTATION;
use crate::observe::Verb;

impl Writer {
    /// Removes the host's labels, annotations and owner reference from an object that stays.
    ///
    /// An object that the reconciler created keeps a mark without an owner, by which a later subject of the reconciler
    /// inherits it; an adopted one belongs to another party again.
    ///
    /// This applies everything else that the object has: a field left out of an apply is removed if no other manager
    /// owns it, and all of them may be this reconciler's.
    pub(super) async fn orphan(&mut self, object: &Arc<Object>, ownership: Ownership) -> Result<(), WriteError> {
        let mut document = object.value();
        let metadata = document["metadata"].take();
        document["metadata"]["labels"] = without(&metadata["labels"], &[RECONCILER_LABEL, OWNER_LABEL]);
        document["metadata"]["annotations"] =
            without(&metadata["annotations"], &[APPLIED_ANNOTATION, ADOPTED_ANNOTATION]);
        if ownership != Ownership::Adopted {
            let mark = self.context.ownership.mark(self.orphaned(), &object.reference, ownership);
            document["metadata"]["annotations"][APPLIED_ANNOTATION] = format!("{mark}.").into();
        }
        object.reference.identify(&mut document, &object.uid);
        if let Some(fields) = document.as_object_mut() {
            fields.remove("status");
        }
        let manager = self.plugin.field_manager();
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        let after = self.apply(apply, ConflictPolicy::Yield, None).await?;
        self.last_writes.remove(&object.reference);
        let change = Change { before: Some(Arc::clone(object)), after: Some(after) };
        self.wrote(Verb::Change, &object.reference, change);
        Ok(())
    }
}

fn without(map: &Value, keys: &[&str]) -> Value {
    let entries = map.as_object().into_iter().flatten().filter(|(key, _)| !keys.contains(&&***key));
    Value::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}
