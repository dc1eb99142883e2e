//! Objects that outlive whoever wanted them: the host applies and keeps them, and never deletes them.
//!
//! A `CustomResourceDefinition` is one: with it go all objects of its kind, whoever made them.

use std::sync::Arc;

use mizzen_cluster::{Apply, OWNER_LABEL, RECONCILER_LABEL, Target, WriteError};
use mizzen_model::Object;
use serde_json::{Map, Value, json};

use super::Writer;
use crate::names::APPLIED_ANNOTATION;
use crate::observe::Verb;

impl Writer<'_> {
    /// Takes the host's own marks off an object that stays when its subject goes: it is nobody's from then on.
    ///
    /// An apply of everything else that the object holds: what is left out of an apply is taken back, and all of it may be ours.
    pub(super) async fn let_go(&mut self, object: &Arc<Object>) -> Result<(), WriteError> {
        let mut document = object.value();
        let metadata = document["metadata"].take();
        let without = |field: &str, marks: &[&str]| {
            let own = metadata[field].as_object().into_iter().flatten();
            own.filter(|(key, _)| !marks.contains(&&***key))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Map<_, _>>()
        };
        document["metadata"] = json!({
            "name": object.reference.name, "uid": object.uid,
            "labels": without("labels", &[RECONCILER_LABEL, OWNER_LABEL]),
            "annotations": without("annotations", &[APPLIED_ANNOTATION]),
        });
        if let Some(namespace) = &object.reference.namespace {
            document["metadata"]["namespace"] = Value::from(&**namespace);
        }
        if let Some(fields) = document.as_object_mut() {
            fields.remove("status");
        }
        let manager = self.plugin.field_manager();
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        let after = self.cluster.apply(apply).await?;
        self.settled.remove(&object.reference);
        self.wrote(Verb::Change, &object.reference, Some(Arc::clone(object)), Some(after));
        Ok(())
    }
}
