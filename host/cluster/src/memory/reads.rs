//! Reads of the state, and how its changes reach the views.

use std::collections::BTreeSet;
use std::sync::Arc;

use mizzen_model::{Fields, Kind, Object, ObjectRef};
use serde_json::Value;

use super::crd;
use super::state::State;
use super::views::ViewKey;
use crate::change::Change;
use crate::error::ReadError;
use crate::store::Store;
use crate::view::{Found, KindFacts, RECONCILER_LABEL, Scope, View};

impl State {
    pub(super) fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        match self.views.fault(kind) {
            Some(error @ ReadError::NotServed(_)) => Err(error.clone()),
            _ => self.kinds.get(kind).map(|served| served.facts.clone()).ok_or_else(|| not_served(kind)),
        }
    }

    /// Starts a view, or widens it. A view that can't be read yet is kept for when it can.
    pub(super) fn watch(&mut self, view: &View) -> Result<(), ReadError> {
        let key = (view.kind.clone(), view.scope);
        let fields = self.views.fields(&key).map_or_else(|| view.fields.clone(), |own| own.union(&view.fields));
        let objects = self.visible(&key, &fields);
        self.views.watch(key, fields, objects);
        self.readable(&view.kind)
    }

    /// The store of a view.
    pub(super) fn view(&self, kind: &Kind, scope: Scope) -> Result<&Store, ReadError> {
        self.readable(kind)?;
        self.views.store(&(kind.clone(), scope)).ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    pub(super) fn readable(&self, kind: &Kind) -> Result<(), ReadError> {
        match self.views.fault(kind) {
            Some(error) => Err(error.clone()),
            None if self.kinds.get(kind).is_none() => Err(not_served(kind)),
            None => Ok(()),
        }
    }

    /// An object with its field managers, as a request for it finds it.
    pub(super) fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        self.readable(&object.kind)?;
        let (Some(document), Some(entry)) = (self.find(object), self.entry(object)) else { return Ok(None) };
        let apart_from_status = entry.owners.keys().filter(|owner| !owner.status);
        let managers: BTreeSet<_> = apart_from_status.map(|owner| owner.manager.clone()).collect();
        // Every stored document is an object: admission refuses anything else.
        let object = Object::new(document, &Fields::Whole).ok();
        Ok(object.map(|object| Found { object: Arc::new(object), managers: managers.into_iter().collect() }))
    }

    /// The objects in a view, in its version and projected to its fields.
    fn visible(&self, (kind, scope): &ViewKey, fields: &Fields) -> Vec<Arc<Object>> {
        let Some(served) = self.kinds.get(kind) else { return Vec::new() };
        let stored = self.objects.iter().filter(|(key, _)| key.kind == served.storage);
        let documents = stored.map(|(_, entry)| &entry.document);
        documents.filter_map(|document| self.projected(kind, *scope, fields, document)).collect()
    }

    fn projected(&self, kind: &Kind, scope: Scope, fields: &Fields, document: &Value) -> Option<Arc<Object>> {
        let visible = scope == Scope::All || document["metadata"]["labels"][RECONCILER_LABEL].is_string();
        let object = visible.then(|| Object::new(self.kinds.as_version(document, kind), fields))?;
        // Every stored document is an object: admission refuses anything else.
        object.ok().map(Arc::new)
    }

    /// Updates an object in every view that has its kind; `None`: the object is gone.
    pub(super) fn show(&mut self, key: &ObjectRef, document: Option<&Value>) {
        self.views.send_watched(|object| object == key);
        let views = self.views.of_kinds(|kind| self.kinds.get(kind).is_some_and(|served| served.storage == key.kind));
        for view in views {
            let Some(fields) = self.views.fields(&view).cloned() else { continue };
            let (kind, scope) = &view;
            let object = document.and_then(|document| self.projected(kind, *scope, &fields, document));
            let reference = ObjectRef { kind: kind.clone(), ..key.clone() };
            self.views.update(&view, &reference, object);
        }
    }

    /// Makes reads of a kind fail, or work again; then the changes of the meantime are reported.
    pub(super) fn fail_reads(&mut self, kind: &Kind, error: Option<ReadError>) {
        let works = error.is_none();
        self.views.set_fault(kind, error);
        if works {
            self.catch_up(kind);
        }
        self.views.send(&Change::Served(kind.clone()));
        self.views.send_watched(|object| object.kind == *kind);
    }

    fn catch_up(&mut self, kind: &Kind) {
        for scope in [Scope::All, Scope::Owned] {
            let key = (kind.clone(), scope);
            let Some(fields) = self.views.fields(&key).cloned() else { continue };
            let objects = self.visible(&key, &fields);
            self.views.replace(&key, objects);
        }
    }

    /// Serves the kinds of a CRD.
    pub(super) fn define(&mut self, definition: &Value) {
        // Admission has checked it.
        for (kind, served) in crd::kinds(definition).into_iter().flatten() {
            if self.kinds.serve(kind.clone(), served) {
                self.catch_up(&kind);
                self.views.send(&Change::Served(kind));
            }
        }
    }

    /// Stops serving the kinds of a CRD, and deletes their objects.
    pub(super) fn undefine(&mut self, group: &str, name: &str) {
        let of_kind = |object: &&ObjectRef| object.kind.group() == group && &*object.kind.name == name;
        // Without the kind, no client could remove a finalizer any more: finalizers do not delay
        // this.
        for object in self.objects.keys().filter(of_kind).cloned().collect::<Vec<_>>() {
            self.forget(&object);
        }
        for kind in self.kinds.withdraw(group, name) {
            self.views.send(&Change::Served(kind));
        }
    }
}

fn not_served(kind: &Kind) -> ReadError {
    ReadError::NotServed(kind.clone())
}
