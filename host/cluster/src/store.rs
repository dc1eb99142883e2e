//! Objects of one kind, in order, with indexes by label and by value.
//!
//! Most lists ask for one value of one label (`kubernetes.io/service-name=cart`), or for a text in one field, and there may be one such
//! list for each of thousands of subjects: the first list that asks for a label or a field builds its index, and every change keeps it.
//! What the index by label holds of an object are references to the strings that the object holds already; the index by value has copies.

mod by_label;
mod by_value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_model::{Object, ObjectRef};

use self::by_label::ByLabel;
use self::by_value::ByValue;
use crate::Selection;

/// Namespace and name; cluster-scoped objects have none of the former.
type Path = (Option<Arc<str>>, Arc<str>);

/// The objects of one kind.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Path, Arc<Object>>,
    /// Behind a lock of its own, so that readers who share the store can build it.
    indexes: Mutex<Indexes>,
}

#[derive(Debug, Default)]
struct Indexes {
    labels: ByLabel,
    values: ByValue,
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
                self.reindex(&path, Some(&before), Some(&object));
                self.objects.insert(path, object);
                Inserted::Changed { before }
            }
            None => {
                self.reindex(&path, None, Some(&object));
                self.objects.insert(path, object);
                Inserted::New
            }
        }
    }

    /// Takes an object out.
    pub fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Object>> {
        let path = path(object);
        let removed = self.objects.remove(&path)?;
        self.reindex(&path, Some(&removed), None);
        Some(removed)
    }

    /// One object.
    pub fn get(&self, object: &ObjectRef) -> Option<Arc<Object>> {
        self.objects.get(&path(object)).cloned()
    }

    /// The objects that are selected, in namespace and name order.
    pub fn list(&self, selection: &Selection<'_>) -> Vec<Arc<Object>> {
        let mut selected = Vec::new();
        self.select(selection, |object| selected.push(Arc::clone(object)));
        selected
    }

    /// How many objects are selected.
    pub fn count(&self, selection: &Selection<'_>) -> usize {
        let mut count = 0;
        self.select(selection, |_| count += 1);
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
                self.reindex(&path, Some(&object), None);
                differences.push((Some(object), None));
            }
        }
        differences
    }

    fn select(&self, selection: &Selection<'_>, mut found: impl FnMut(&Arc<Object>)) {
        if !self.look_up(selection, &mut found) {
            let (first, here) = (first_of(selection.namespace), |path: &Path| selection.is_in(path.0.as_deref()));
            let from = self.objects.range::<Path, _>((Bound::Included(&first), Bound::Unbounded));
            let objects = from.take_while(|(path, _)| here(path)).map(|(_, object)| object);
            objects.filter(|object| selection.has_labels(object) && selection.has_values(object)).for_each(found);
        }
    }

    /// Answers by an index, if there is one for what is selected.
    fn look_up(&self, selection: &Selection<'_>, found: &mut impl FnMut(&Arc<Object>)) -> bool {
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        let Indexes { labels: by_label, values: by_value } = &mut *indexes;
        let here = |path: &&Path| selection.is_in(path.0.as_deref());
        if let Some(paths) = selection.values.and_then(|values| by_value.find(values, &self.objects)) {
            let objects = paths.into_iter().filter(here).filter_map(|path| self.objects.get(path));
            objects.filter(|object| selection.has_labels(object)).for_each(found);
            return true;
        }
        let equality = selection.labels.and_then(|labels| labels.equality());
        if let Some(paths) = equality.and_then(|equality| by_label.find(equality, &self.objects)) {
            let first = first_of(selection.namespace);
            let paths = paths.from(&first).take_while(here);
            let objects = paths.filter_map(|path| self.objects.get(path));
            objects.filter(|object| selection.has_labels(object) && selection.has_values(object)).for_each(found);
            return true;
        }
        false
    }

    fn reindex(&mut self, path: &Path, before: Option<&Object>, after: Option<&Object>) {
        let indexes = self.indexes.get_mut().unwrap_or_else(PoisonError::into_inner);
        indexes.labels.change(path, before, after);
        indexes.values.change(path, before, after);
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
