//! Two subjects of one reconciler that want the same object: the first keeps it, and the other is told so.
//!
//! Both would write as the same field manager, so the API server sees no conflict between them, and each would take the object back from
//! the other for ever. Whose it is says the owner label of the live object, also to a host that was restarted; while it is being
//! made, whoever began.

use std::collections::{HashMap, HashSet};

use mizzen_model::ObjectRef;

use crate::plugin::Key;

/// Who owns what, and who waits for it.
#[derive(Default)]
pub(crate) struct Claims {
    /// The subjects there are, by the owner label of what is applied for them.
    owners: HashMap<String, (Key, ObjectRef)>,
    /// What is being applied now, with the owner label.
    applying: HashMap<ObjectRef, String>,
    /// Who wants an object that is another's.
    waiting: HashMap<ObjectRef, HashSet<Key>>,
}

// === impl Claims ===

impl Claims {
    /// Takes in a subject of a reconciler.
    pub(crate) fn meet(&mut self, label: String, key: Key, subject: ObjectRef) {
        self.owners.insert(label, (key, subject));
    }

    /// Forgets a subject of a reconciler.
    pub(crate) fn forget(&mut self, label: &str, key: Key) {
        self.owners.remove(label);
        self.waiting.retain(|_, keys| {
            keys.remove(&key);
            !keys.is_empty()
        });
    }

    /// Whose an object with this owner label is.
    pub(crate) fn owner(&self, label: &str) -> Option<Key> {
        self.owners.get(label).map(|(key, _)| *key)
    }

    /// Lets a key apply an object, until it [has](Self::applied); `holder` is the owner label that the live object has.
    ///
    /// # Errors
    /// The other subject of the reconciler that has it, or is just applying it. The key is told when that lets it go.
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

    /// The apply of an object has ended.
    pub(crate) fn applied(&mut self, object: &ObjectRef) {
        self.applying.remove(object);
    }

    /// Who waited for an object that changed hands, or went.
    pub(crate) fn released(&mut self, object: &ObjectRef) -> HashSet<Key> {
        self.waiting.remove(object).unwrap_or_default()
    }
}
