//! What is watched, and how a change reaches those who watch.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use serde_json::Value;
use tokio::sync::mpsc;

use super::state::State;
use super::{Memory, crd};
use crate::store::{Difference, Inserted, Store};
use crate::{Change, Changes, KindFacts, ObjectWatch, RECONCILER_LABEL, ReadError, Scope, View};

/// One watched view.
struct Watched {
    store: Store,
    fields: Fields,
}

/// Everything that is watched, everybody who listens, and what can't be read.
#[derive(Default)]
pub(super) struct Views {
    watched: HashMap<(Kind, Scope), Watched>,
    subscribers: Vec<mpsc::UnboundedSender<Change>>,
    faults: HashMap<Kind, ReadError>,
    watched_objects: HashMap<ObjectRef, Weak<WatchedObject>>,
}

/// One object that is watched by its name.
pub(super) struct WatchedObject {
    memory: Memory,
    object: ObjectRef,
}

#[async_trait]
impl ObjectWatch for WatchedObject {
    fn object(&self) -> &ObjectRef {
        &self.object
    }

    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError> {
        let state = self.memory.state();
        state.readable(&self.object.kind)?;
        let document = state.find(&self.object);
        // What is stored is an object: nothing else is admitted.
        Ok(document.and_then(|document| Object::new(document, &Fields::Whole).ok()).map(Arc::new))
    }
}

// === impl Views ===

impl Views {
    pub(super) fn subscribe(&mut self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.subscribers.push(sender);
        changes
    }

    fn tell(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }

    fn tell_object(&mut self, scope: Scope, (before, after): Difference) {
        self.tell(&Change::Object { scope, before, after });
    }
}

// === impl State ===

impl State {
    pub(super) fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        match self.views.faults.get(kind) {
            Some(error @ ReadError::NotServed(_)) => Err(error.clone()),
            _ => self.kinds.get(kind).map(|served| served.facts.clone()).ok_or_else(|| not_served(kind)),
        }
    }

    /// Keeps a view, or widens it. One that can't be read is kept all the same, for when it can.
    pub(super) fn watch(&mut self, view: &View) -> Result<(), ReadError> {
        let key = (view.kind.clone(), view.scope);
        let held = self.views.watched.get(&key);
        let fields = held.map_or_else(|| view.fields.clone(), |held| held.fields.union(&view.fields));
        let mut store = Store::new();
        for object in self.visible(&key, &fields) {
            store.insert(object);
        }
        self.views.watched.insert(key, Watched { store, fields });
        self.readable(&view.kind)
    }

    /// Watches an object by its name; `memory` is that of this state.
    pub(super) fn watch_object(&mut self, memory: &Memory, object: &ObjectRef) -> Arc<WatchedObject> {
        self.views.watched_objects.retain(|_, watched| watched.strong_count() > 0);
        if let Some(watched) = self.views.watched_objects.get(object).and_then(Weak::upgrade) {
            return watched;
        }
        let watched = Arc::new(WatchedObject { memory: memory.clone(), object: object.clone() });
        self.views.watched_objects.insert(object.clone(), Arc::downgrade(&watched));
        watched
    }

    /// The store of a view.
    pub(super) fn view(&self, kind: &Kind, scope: Scope) -> Result<&Store, ReadError> {
        self.readable(kind)?;
        let view = self.views.watched.get(&(kind.clone(), scope));
        view.map(|view| &view.store).ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    fn readable(&self, kind: &Kind) -> Result<(), ReadError> {
        match self.views.faults.get(kind) {
            Some(error) => Err(error.clone()),
            None if self.kinds.get(kind).is_none() => Err(not_served(kind)),
            None => Ok(()),
        }
    }

    /// The objects that a view sees, in its version and with its fields.
    fn visible(&self, (kind, scope): &(Kind, Scope), fields: &Fields) -> Vec<Arc<Object>> {
        let Some(served) = self.kinds.get(kind) else { return Vec::new() };
        let stored = self.objects.iter().filter(|(key, _)| key.kind == served.storage);
        let documents = stored.map(|(_, entry)| &entry.document);
        documents.filter_map(|document| self.projected(kind, *scope, fields, document)).collect()
    }

    fn projected(&self, kind: &Kind, scope: Scope, fields: &Fields, document: &Value) -> Option<Arc<Object>> {
        let seen = scope == Scope::All || document["metadata"]["labels"][RECONCILER_LABEL].is_string();
        let object = seen.then(|| Object::new(self.kinds.as_version(document, kind), fields))?;
        // What is stored is an object: nothing else is admitted.
        object.ok().map(Arc::new)
    }

    /// Brings every view that sees an object up to date with it; `None`: it is gone.
    pub(super) fn show(&mut self, key: &ObjectRef, document: Option<&Value>) {
        if self.views.watched_objects.get(key).is_some_and(|watched| watched.strong_count() > 0) {
            self.views.tell(&Change::Watched(key.clone()));
        }
        let sees = |kind: &Kind| self.kinds.get(kind).is_some_and(|served| served.storage == key.kind);
        let mut seeing: Vec<_> = self.views.watched.keys().filter(|(kind, _)| sees(kind)).cloned().collect();
        // Readers before owners, as on a real API server.
        seeing.sort_unstable_by_key(|(_, scope)| *scope);
        for (kind, scope) in seeing {
            // A watch that is broken tells of nothing.
            if self.views.faults.contains_key(&kind) {
                continue;
            }
            let Some(fields) = self.views.watched.get(&(kind.clone(), scope)).map(|view| view.fields.clone()) else {
                continue;
            };
            let object = document.and_then(|document| self.projected(&kind, scope, &fields, document));
            let reference = ObjectRef { kind: kind.clone(), ..key.clone() };
            let Some(view) = self.views.watched.get_mut(&(kind, scope)) else { continue };
            let difference = match object {
                Some(object) => match view.store.insert(Arc::clone(&object)) {
                    Inserted::New => Some((None, Some(object))),
                    Inserted::Changed { before } => Some((Some(before), Some(object))),
                    Inserted::Same | Inserted::Stale => None,
                },
                None => view.store.remove(&reference).map(|before| (Some(before), None)),
            };
            if let Some(difference) = difference {
                self.views.tell_object(scope, difference);
            }
        }
    }

    /// From now on a kind can't be read, or can be again: then what happened meanwhile is told.
    pub(super) fn fail_reads(&mut self, kind: &Kind, error: Option<ReadError>) {
        if let Some(error) = error {
            self.views.faults.insert(kind.clone(), error);
        } else {
            self.views.faults.remove(kind);
            self.catch_up(kind);
        }
        self.views.tell(&Change::Served(kind.clone()));
        let watched: Vec<_> =
            self.views.watched_objects.keys().filter(|object| object.kind == *kind).cloned().collect();
        for object in watched {
            self.views.tell(&Change::Watched(object));
        }
    }

    fn catch_up(&mut self, kind: &Kind) {
        for scope in [Scope::All, Scope::Owned] {
            let key = (kind.clone(), scope);
            let Some(fields) = self.views.watched.get(&key).map(|view| view.fields.clone()) else { continue };
            let objects = self.visible(&key, &fields);
            let differences = self.views.watched.get_mut(&key).map(|view| view.store.replace(objects));
            for difference in differences.into_iter().flatten() {
                self.views.tell_object(scope, difference);
            }
        }
    }

    /// Serves what a definition defines.
    pub(super) fn define(&mut self, definition: &Value) {
        // It was admitted, so it is well formed.
        for (kind, served) in crd::kinds(definition).into_iter().flatten() {
            if self.kinds.serve(kind.clone(), served) {
                self.catch_up(&kind);
                self.views.tell(&Change::Served(kind));
            }
        }
    }

    /// Serves the kinds of a definition no longer, and deletes their objects.
    pub(super) fn undefine(&mut self, group: &str, name: &str) {
        let of_kind = |object: &&ObjectRef| object.kind.group() == group && &*object.kind.name == name;
        // Finalizers hold nothing whose kind is gone: nobody could take them off.
        for object in self.objects.keys().filter(of_kind).cloned().collect::<Vec<_>>() {
            self.forget(&object);
        }
        for kind in self.kinds.withdraw(group, name) {
            self.views.tell(&Change::Served(kind));
        }
    }
}

fn not_served(kind: &Kind) -> ReadError {
    ReadError::NotServed(kind.clone())
}
