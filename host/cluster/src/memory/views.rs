//! The watched views, and the streams of changes.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use mizzen_model::{Fields, Kind, Object, ObjectRef};
use tokio::sync::mpsc;

use crate::change::{Change, Changes};
use crate::error::ReadError;
use crate::store::{Difference, Inserted, Store};
use crate::view::Scope;

/// A kind and which of its objects.
pub(super) type ViewKey = (Kind, Scope);

/// One watched view.
struct Watched {
    store: Store,
    fields: Fields,
}

/// Everything that is watched, the subscribers, and the kinds that can't be read.
#[derive(Default)]
pub(super) struct Views {
    watched: HashMap<ViewKey, Watched>,
    watched_objects: HashMap<ObjectRef, Weak<ObjectRef>>,
    subscribers: Vec<mpsc::UnboundedSender<Change>>,
    faults: HashMap<Kind, ReadError>,
}

// === impl Views ===

impl Views {
    pub(super) fn subscribe(&mut self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.subscribers.push(sender);
        changes
    }

    pub(super) fn send(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }

    /// The error that reads of a kind fail with.
    pub(super) fn fault(&self, kind: &Kind) -> Option<&ReadError> {
        self.faults.get(kind)
    }

    pub(super) fn set_fault(&mut self, kind: &Kind, error: Option<ReadError>) {
        match error {
            Some(error) => self.faults.insert(kind.clone(), error),
            None => self.faults.remove(kind),
        };
    }

    /// The views with one of these kinds; readers before owners, as on a real API server. Broken
    /// watches are left out.
    pub(super) fn of_kinds(&self, is_one: impl Fn(&Kind) -> bool) -> Vec<ViewKey> {
        let works = |kind: &Kind| is_one(kind) && !self.faults.contains_key(kind);
        let mut keys: Vec<_> = self.watched.keys().filter(|(kind, _)| works(kind)).cloned().collect();
        keys.sort_unstable_by_key(|(_, scope)| *scope);
        keys
    }

    /// The fields that a view keeps; `None` if it is not watched.
    pub(super) fn fields(&self, key: &ViewKey) -> Option<&Fields> {
        self.watched.get(key).map(|watched| &watched.fields)
    }

    pub(super) fn store(&self, key: &ViewKey) -> Option<&Store> {
        self.watched.get(key).map(|watched| &watched.store)
    }

    /// Watches a view from now on, with these objects in it.
    pub(super) fn watch(&mut self, key: ViewKey, fields: Fields, objects: Vec<Arc<Object>>) {
        let mut store = Store::new();
        for object in objects {
            store.insert(object);
        }
        self.watched.insert(key, Watched { store, fields });
    }

    /// Updates one object of a view and reports the change; `None`: the object is gone.
    pub(super) fn update(&mut self, key: &ViewKey, reference: &ObjectRef, object: Option<Arc<Object>>) {
        let Some(view) = self.watched.get_mut(key) else { return };
        let difference = match object {
            Some(object) => match view.store.insert(Arc::clone(&object)) {
                Inserted::New => Some(Difference { before: None, after: Some(object) }),
                Inserted::Changed { before } => Some(Difference { before: Some(before), after: Some(object) }),
                Inserted::Same | Inserted::Stale => None,
            },
            None => view.store.remove(reference).map(|before| Difference { before: Some(before), after: None }),
        };
        if let Some(difference) = difference {
            self.send_object(key.1, difference);
        }
    }

    /// Replaces the objects of a view and reports the differences.
    pub(super) fn replace(&mut self, key: &ViewKey, objects: Vec<Arc<Object>>) {
        let differences = self.watched.get_mut(key).map(|view| view.store.replace(objects));
        for difference in differences.into_iter().flatten() {
            self.send_object(key.1, difference);
        }
    }

    /// Watches one object by its name, for as long as the returned reference is alive.
    pub(super) fn watch_object(&mut self, object: &ObjectRef) -> Arc<ObjectRef> {
        self.watched_objects.retain(|_, watched| watched.strong_count() > 0);
        if let Some(watched) = self.watched_objects.get(object).and_then(Weak::upgrade) {
            return watched;
        }
        let watched = Arc::new(object.clone());
        self.watched_objects.insert(object.clone(), Arc::downgrade(&watched));
        watched
    }

    /// Reports that the watched ones of these objects may have changed.
    pub(super) fn send_watched(&mut self, is_one: impl Fn(&ObjectRef) -> bool) {
        let alive = self.watched_objects.iter().filter(|(_, watched)| watched.strong_count() > 0);
        let objects: Vec<_> = alive.map(|(object, _)| object).filter(|object| is_one(object)).cloned().collect();
        for object in objects {
            self.send(&Change::Watched(object));
        }
    }

    fn send_object(&mut self, scope: Scope, difference: Difference) {
        let Difference { before, after } = difference;
        self.send(&Change::Object { scope, before, after });
    }
}
