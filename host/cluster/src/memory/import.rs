//! Takes objects and kinds of another cluster as they are: its API server has admitted them.

use std::sync::Arc;

use mizzen_model::{Kind, ObjectRef};
use serde_json::Value;

use super::crd::DEFINITION;
use super::handle::Memory;
use super::kinds::Namespaces;
use super::ownership;
use super::served::Served;
use super::state::{Entry, State};
use crate::view::KindFacts;

// === impl Memory ===

impl Memory {
    /// Serves a kind that no CRD defines, without a schema. Does nothing if it is served already.
    pub(crate) fn serve(&self, kind: &Kind, facts: &KindFacts) {
        let mut state = self.state();
        if state.kinds.get(kind).is_none() {
            let served = Served { facts: facts.clone(), storage: kind.clone(), generation: true, schema: None };
            state.kinds.serve(kind.clone(), served);
        }
    }

    /// Whether a CRD defines a kind.
    pub(crate) fn is_defined(&self, kind: &Kind) -> bool {
        self.state().kinds.get(kind).is_some_and(|served| served.schema.is_some())
    }

    /// Stores a document with its revision and field managers, and does nothing that an API server would do. A
    /// document that is not of a served kind is left out.
    pub(crate) fn import(&self, document: Value) {
        self.state().import(document);
    }

    /// The reference by which an object is stored, whatever the version of its kind.
    pub(crate) fn stored(&self, object: &ObjectRef) -> ObjectRef {
        self.state().stored(object)
    }

    /// The reference with the namespace that a document of this kind means which names none.
    pub(crate) fn located(&self, object: &ObjectRef) -> ObjectRef {
        let namespaced = self.state().kinds.get(&object.kind).is_some_and(|served| served.facts.namespaced);
        match &object.namespace {
            None if namespaced => ObjectRef { namespace: Some("default".into()), ..object.clone() },
            _ => object.clone(),
        }
    }
}

// === impl State ===

impl State {
    fn import(&mut self, mut document: Value) {
        let Ok(reference) = self.kinds.reference(&document, Namespaces::Stated) else { return };
        let owners = ownership::recorded(&document).unwrap_or_default();
        if let Some(metadata) = document["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        let key = self.stored(&reference);
        let document = self.kinds.as_version(&document, &key.kind);
        let revision = document["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
        self.advance_to(revision.unwrap_or(0));
        let entry = Arc::new(Entry { document, owners });
        self.objects.insert(key.clone(), Arc::clone(&entry));
        self.show(&key, Some(&entry.document));
        if &*key.kind.name == DEFINITION {
            self.define(&entry.document);
        }
    }
}
