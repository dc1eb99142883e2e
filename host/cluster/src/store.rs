//! Objects of one kind, in order, with an index by label.
//!
//! Most lists ask for one value of one label (`kubernetes.io/service-name=cart`), and there may be one such list for each of thousands
//! of subjects: the first list that asks for a label builds the index of that label, and every change keeps it. What the index holds of
//! an object are references to the strings that the object holds already.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_model::{Object, ObjectRef, Selector};

/// Namespace and name; cluster-scoped objects have none of the former.
type Path = (Option<Arc<str>>, Arc<str>);

/// By label key, by value: who has it.
type LabelIndex = HashMap<Arc<str>, HashMap<Arc<str>, BTreeSet<Path>>>;

/// How many labels have an index. Plugins choose what they list by: one that lists by ever new labels must not fill the host's memory.
/// Lists by further labels are answered all the same, by looking at every object.
const INDEXED_LABELS: usize = 64;

/// The objects of one kind.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Path, Arc<Object>>,
    /// Behind a lock of its own, so that readers who share the store can build it.
    labels: Mutex<LabelIndex>,
}

/// What an insertion changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The object was not there.
    New,
    /// It was, and was different.
    Changed {
        /// As it was.
        before: Arc<Object>,
    },
    /// Nothing that counts: the text, the labels, the uid and whether it is being deleted are as they were. The revision may be newer.
    Same,
    /// The object held is newer than the one that was to be inserted, and stays.
    Stale,
}

/// One difference between two states: before and after.
pub type Difference = (Option<Arc<Object>>, Option<Arc<Object>>);

// === impl Store ===

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an object, unless a newer revision of it is held.
    pub fn insert(&mut self, object: Arc<Object>) -> Inserted {
        let path = path(&object.reference);
        let before = self.objects.get(&path).cloned();
        match before {
            Some(before) if is_older(&object, &before) => Inserted::Stale,
            Some(before) if is_same(&object, &before) => {
                self.objects.insert(path, object);
                Inserted::Same
            }
            Some(before) => {
                self.unindex(&path, &before);
                self.index(&path, &object);
                self.objects.insert(path, object);
                Inserted::Changed { before }
            }
            None => {
                self.index(&path, &object);
                self.objects.insert(path, object);
                Inserted::New
            }
        }
    }

    /// Takes an object out.
    pub fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Object>> {
        let path = path(object);
        let removed = self.objects.remove(&path)?;
        self.unindex(&path, &removed);
        Some(removed)
    }

    /// One object.
    pub fn get(&self, object: &ObjectRef) -> Option<Arc<Object>> {
        self.objects.get(&path(object)).cloned()
    }

    /// The objects that a selector selects, in namespace and name order.
    pub fn list(&self, namespace: Option<&str>, labels: &Selector) -> Vec<Arc<Object>> {
        let mut selected = Vec::new();
        self.select(namespace, labels, |object| selected.push(Arc::clone(object)));
        selected
    }

    /// How many objects a selector selects.
    pub fn count(&self, namespace: Option<&str>, labels: &Selector) -> usize {
        let mut count = 0;
        self.select(namespace, labels, |_| count += 1);
        count
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// All objects, in namespace and name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Puts a whole new list in place of what is held, and gives the differences. Objects held in a newer revision stay.
    pub fn replace(&mut self, all: Vec<Arc<Object>>) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut gone: BTreeSet<Path> = self.objects.keys().cloned().collect();
        for object in all {
            gone.remove(&path(&object.reference));
            match self.insert(Arc::clone(&object)) {
                Inserted::New => differences.push((None, Some(object))),
                Inserted::Changed { before } => differences.push((Some(before), Some(object))),
                Inserted::Same | Inserted::Stale => {}
            }
        }
        for path in gone {
            if let Some(object) = self.objects.remove(&path) {
                self.unindex(&path, &object);
                differences.push((Some(object), None));
            }
        }
        differences
    }

    fn select(&self, namespace: Option<&str>, labels: &Selector, mut found: impl FnMut(&Arc<Object>)) {
        let from = Bound::Included(&first_of(namespace));
        let here = |path: &Path| namespace.is_none_or(|namespace| path.0.as_deref() == Some(namespace));
        if let Some((key, value)) = labels.equality() {
            let mut index = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
            if !index.contains_key(key) && index.len() < INDEXED_LABELS {
                index.insert(Arc::clone(key), self.build(key));
            }
            if let Some(by_value) = index.get(key) {
                let paths = by_value.get(value).map(|paths| paths.range::<Path, _>((from, Bound::Unbounded)));
                let paths = paths.into_iter().flatten().take_while(|path| here(path));
                let objects = paths.filter_map(|path| self.objects.get(path));
                return objects.filter(|object| labels.matches(&object.labels)).for_each(found);
            }
        }
        for (path, object) in self.objects.range::<Path, _>((from, Bound::Unbounded)) {
            if !here(path) {
                break;
            }
            if labels.matches(&object.labels) {
                found(object);
            }
        }
    }

    fn build(&self, key: &str) -> HashMap<Arc<str>, BTreeSet<Path>> {
        let mut by_value: HashMap<Arc<str>, BTreeSet<Path>> = HashMap::new();
        for (path, object) in &self.objects {
            if let Some((_, value)) = object.labels.iter().find(|(own, _)| ***own == *key) {
                by_value.entry(Arc::clone(value)).or_default().insert(path.clone());
            }
        }
        by_value
    }

    fn index(&mut self, path: &Path, object: &Object) {
        let index = self.labels.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in object.labels.iter() {
            if let Some(by_value) = index.get_mut(key) {
                by_value.entry(Arc::clone(value)).or_default().insert(path.clone());
            }
        }
    }

    fn unindex(&mut self, path: &Path, object: &Object) {
        let index = self.labels.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in object.labels.iter() {
            if let Some(by_value) = index.get_mut(key)
                && let Some(paths) = by_value.get_mut(value)
            {
                paths.remove(path);
                if paths.is_empty() {
                    by_value.remove(value);
                }
            }
        }
    }
}

/// What comes before every object of a namespace.
fn first_of(namespace: Option<&str>) -> Path {
    (namespace.map(Into::into), "".into())
}

fn path(object: &ObjectRef) -> Path {
    (object.namespace.clone(), Arc::clone(&object.name))
}

fn is_same(a: &Object, b: &Object) -> bool {
    a.json() == b.json() && a.labels == b.labels && a.uid == b.uid && a.deleting == b.deleting
}

/// Revisions of one object are comparable; an object that was deleted and made anew is another one.
fn is_older(new: &Object, held: &Object) -> bool {
    new.uid == held.uid && new.resource_version != 0 && new.resource_version < held.resource_version
}

#[cfg(test)]
mod tests;
