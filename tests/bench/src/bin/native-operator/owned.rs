//! The applied objects of one kind: which need not be applied again, and the API of each.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use kube::ResourceExt;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::Event;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;

/// Namespace and name; an object has those of its API.
pub(crate) type Name = (String, String);

/// The objects of one kind.
#[derive(Default)]
pub(crate) struct Owned(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    entries: HashMap<Name, Entry>,
    /// The names in an unfinished list.
    listed: HashSet<Name>,
}

#[derive(Default)]
struct Entry {
    /// The digest of the document that was applied last; `None` if it was applied by another client.
    digest: Option<u64>,
    /// The generation after that.
    applied: i64,
    /// The newest generation of the watch.
    seen: i64,
}

impl Owned {
    /// Applies an event of the watch, and returns the APIs whose object another client changed or deleted.
    pub(crate) fn observe(&self, event: Event<PartialObjectMeta<DynamicObject>>) -> Vec<Name> {
        let mut inner = self.lock();
        match event {
            Event::Init => {
                inner.listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                inner.listed.insert(name_of(&object));
                inner.see(&object).into_iter().collect()
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut inner.listed);
                let gone: Vec<_> = inner.entries.keys().filter(|name| !listed.contains(*name)).cloned().collect();
                inner.entries.retain(|name, _| listed.contains(name));
                gone
            }
            Event::Apply(object) => inner.see(&object).into_iter().collect(),
            Event::Delete(object) => {
                let name = name_of(&object);
                inner.entries.remove(&name);
                vec![name]
            }
        }
    }

    /// Whether the cluster holds this document already.
    pub(crate) fn holds(&self, name: &Name, document: &Value) -> bool {
        let inner = self.lock();
        let entry = inner.entries.get(name);
        entry.is_some_and(|entry| entry.digest == Some(digest(document)) && entry.seen <= entry.applied)
    }

    /// Whether an object exists.
    pub(crate) fn exists(&self, name: &Name) -> bool {
        self.lock().entries.contains_key(name)
    }

    /// Records that a document was applied.
    pub(crate) fn applied(&self, name: Name, document: &Value, generation: i64) {
        let mut inner = self.lock();
        let entry = inner.entries.entry(name).or_default();
        entry.digest = Some(digest(document));
        entry.applied = generation;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    fn see(&mut self, object: &PartialObjectMeta<DynamicObject>) -> Option<Name> {
        let name = name_of(object);
        let entry = self.entries.entry(name.clone()).or_default();
        entry.seen = object.metadata.generation.unwrap_or(0);
        (entry.digest.is_some() && entry.seen > entry.applied).then_some(name)
    }
}

fn name_of(object: &PartialObjectMeta<DynamicObject>) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn digest(document: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    document.hash(&mut hasher);
    hasher.finish()
}
