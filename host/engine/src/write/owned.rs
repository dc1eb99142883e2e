//! The objects that a key owns, among those with its owner label.

use std::sync::Arc;

use mizzen_cluster::Ownership;
use mizzen_model::{Object, ObjectRef};

/// The most objects that are not owned that a report names.
const NAMED: usize = 5;

/// An object that a key owns.
pub(super) struct Owned {
    pub(super) object: Arc<Object>,
    pub(super) ownership: Ownership,
}

/// The live objects with the owner label of a key.
#[derive(Default)]
pub(super) struct Labelled {
    /// Those that carry the mark of the key, where the reconciler may apply objects.
    pub(super) owned: Vec<Owned>,
    /// The first of the others. Anyone can compute the owner label and label an object of their own, and some
    /// controllers copy labels: such an object is ignored.
    pub(super) ignored: Vec<ObjectRef>,
    /// How many of the others there are.
    pub(super) ignored_count: usize,
}

impl Labelled {
    /// Counts an object, and names it if it is among the first.
    pub(super) fn ignore(&mut self, object: &ObjectRef) {
        self.ignored_count += 1;
        if self.ignored.len() < NAMED {
            self.ignored.push(object.clone());
        }
    }
}
