//! Ownership claims: when two subjects of one reconciler want the same object, the first keeps it,
//! and the second gets an error.
//!
//! Both would apply with the same field manager, so the API server would see no conflict between
//! them, and each would overwrite the other for ever. The owner label of the live object names its
//! owner, also after a restart of the host; while an object is being created, its owner is the key
//! that began.

use std::collections::{HashMap, HashSet};

use mizzen_model::ObjectRef;

use crate::plugin::Key;

/// Which key owns which object, and which keys wait for it.
#[derive(Default)]
pub(crate) struct Claims {
    /// All subjects, by the owner label of the objects that are applied for them.
    owners: HashMap<String, (Key, ObjectRef)>,
    /// Objects that are being applied now, with the owner label.
    applying: HashMap<ObjectRef, String>,
    /// The keys that want an object that another key owns.
    waiting: HashMap<ObjectRef, HashSet<Key>>,
}

// === impl Claims ===

impl Claims {
    /// Adds a subject of a reconciler.
    pub(crate) fn track(&mut self, label: String, key: Key, subject: ObjectRef) {
        self.owners.insert(label, (key, subject));
    }

    /// Removes a subject of a reconciler.
    pub(crate) fn forget(&mut self, label: &str, key: Key) {
        self.owners.remove(label);
        self.waiting.retain(|_, keys| {
            keys.remove(&key);
            !keys.is_empty()
        });
    }

    /// The key that owns objects with this owner label.
    pub(crate) fn owner(&self, label: &str) -> Option<Key> {
        self.owners.get(label).map(|(key, _)| *key)
    }

    /// Claims an object for a key that applies it, until the apply [has ended](Self::applied).
    /// `holder` is the owner label of the live object.
    ///
    /// # Errors
    /// The other subject of the reconciler that owns the object or is just applying it. The key is
    /// requeued when the object is [freed](Self::freed).
    pub(crate) fn claim(
        &mut self,
        key: Key,
        label: &str,
        object: &ObjectRef,
        holder: Option<&str>,
    ) -> Result<(), ObjectRef> {
        let holders = [holder, self.applying.get(object).map(String::as_str)];
        let other = holders.into_iter().flatten().filter(|holder| *holder != label).find_map(|holder| {
            self.owners.get(holder).filter(|(owner, _)| owner.node == key.node).map(|(_, subject)| subject.clone())
        });
        if let Some(other) = other {
            self.waiting.entry(object.clone()).or_default().insert(key);
            return Err(other);
        }
        self.applying.insert(object.clone(), label.to_owned());
        Ok(())
    }

    /// Records that the apply of an object has ended.
    pub(crate) fn applied(&mut self, object: &ObjectRef) {
        self.applying.remove(object);
    }

    /// Removes and returns the keys that wait for an object that has another owner now, or is
    /// deleted.
    pub(crate) fn freed(&mut self, object: &ObjectRef) -> HashSet<Key> {
        self.waiting.remove(object).unwrap_or_default()
    }
}
