//! The objects of one kind, in order, with indexes by label and by value.
//!
//! Most lists select one value of one label (`kubernetes.io/service-name=cart`), or a text in one
//! field, and there may be one such list for each of thousands of subjects. The first list by a
//! label or a field builds its index, and every change updates it. The index by label shares its
//! strings with the objects; the index by value has copies.

mod by_label;
mod by_value;
mod path;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use mizzen_model::{Object, ObjectRef};
use parking_lot::Mutex;

use self::by_label::ByLabel;
use self::by_value::ByValue;
use self::path::{Path, first_of, path};
use crate::selection::Selection;

/// The objects of one kind.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Path, Arc<Object>>,
    /// Behind a lock of its own, so that readers that share the store can build it.
    indexes: Mutex<Indexes>,
}

#[derive(Debug, Default)]
struct Indexes {
    labels: ByLabel,
    values: ByValue,
}

/// The effect of an insertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The store did not have the object.
    New,
    /// The store had another version of the object.
    Changed {
        /// The version that was replaced.
        before: Arc<Object>,
    },
    /// The text, the labels, the uid and whether the object is being deleted are unchanged. The
    /// revision may be newer.
    Same,
    /// The store has a newer version, which it keeps.
    Stale,
}

/// One difference between two states of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object before; `None`: it is new.
    pub before: Option<Arc<Object>>,
    /// The object after; `None`: it is gone.
    pub after: Option<Arc<Object>>,
}

// === impl Store ===

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Inserts or replaces an object, unless the store has a newer revision of it.
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

    /// Removes an object and returns it.
    pub fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Object>> {
        let path = path(object);
        let removed = self.objects.remove(&path)?;
        self.reindex(&path, Some(&removed), None);
        Some(removed)
    }

    /// Returns one object.
    pub fn get(&self, object: &ObjectRef) -> Option<Arc<Object>> {
        self.objects.get(&path(object)).cloned()
    }

    /// Returns the selected objects, in namespace and name order.
    pub fn list(&self, selection: &Selection<'_>) -> Vec<Arc<Object>> {
        let mut selected = Vec::new();
        self.select(selection, |object| selected.push(Arc::clone(object)));
        selected
    }

    /// The number of selected objects.
    pub fn count(&self, selection: &Selection<'_>) -> usize {
        let mut count = 0;
        self.select(selection, |_| count += 1);
        count
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether the store has no objects.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// All objects, in namespace and name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Replaces the contents by a new list and returns the differences. Objects of which the store
    /// has a newer revision stay.
    pub fn replace(&mut self, all: Vec<Arc<Object>>) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut deleted: BTreeSet<Path> = self.objects.keys().cloned().collect();
        for object in all {
            deleted.remove(&path(&object.reference));
            match self.insert(Arc::clone(&object)) {
                Inserted::New => differences.push(Difference { before: None, after: Some(object) }),
                Inserted::Changed { before } => {
                    differences.push(Difference { before: Some(before), after: Some(object) });
                }
                Inserted::Same | Inserted::Stale => {}
            }
        }
        for path in deleted {
            if let Some(object) = self.objects.remove(&path) {
                self.reindex(&path, Some(&object), None);
                differences.push(Difference { before: Some(object), after: None });
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

    /// Finds the selected objects by an index; returns `false` if no index serves the selection.
    fn look_up(&self, selection: &Selection<'_>, found: &mut impl FnMut(&Arc<Object>)) -> bool {
        let mut indexes = self.indexes.lock();
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
        let indexes = self.indexes.get_mut();
        indexes.labels.change(path, before, after);
        indexes.values.change(path, before, after);
    }
}

fn is_same(a: &Object, b: &Object) -> bool {
    a.json() == b.json() && a.labels == b.labels && a.uid == b.uid && a.deleting == b.deleting
}

/// Revisions of one object are comparable; an object that was deleted and created again has another
/// uid.
fn is_older(new: &Object, held: &Object) -> bool {
    new.uid == held.uid && new.resource_version != 0 && new.resource_version < held.resource_version
}

#[cfg(test)]
mod tests;
