//! Ownership claims: when two subjects of one reconciler want the same object, the first keeps it,
//! and the second gets an error.
//!
//! Both would apply with the same field manager, so the API server would see no conflict between
//! them, and each would overwrite the other for ever. The owner label of the live object names its
//! owner, also after a restart of the host; while an object is being created, its owner is the key
//! that began.

use std::collections::{HashMap, HashSet};

use mizzen_model::ObjectRef;

use crate::identity::versionless;
use crate::plugin::Key;

/// Which key owns which object, and which keys wait for it. Objects are compared whatever the
/// versions of their kinds.
#[derive(Default)]
pub(crate) struct Claims {
    /// All subjects, by the owner label of the objects that are applied for them.
    owners: HashMap<String, Owner>,
    /// Objects that are being applied now, with the owner label.
    applying: HashMap<ObjectRef, String>,
    /// The keys that want an object that another key owns.
    waiting: HashMap<ObjectRef, HashSet<Key>>,
}

/// A subject for which objects are applied.
struct Owner {
    key: Key,
    subject: ObjectRef,
}

// === impl Claims ===

impl Claims {
    /// Adds a subject of a reconciler.
    pub(crate) fn track(&mut self, label: String, key: Key, subject: ObjectRef) {
        self.owners.insert(label, Owner { key, subject });
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
        self.owners.get(label).map(|owner| owner.key)
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
        let object = versionless(object);
        let holders = [holder, self.applying.get(&object).map(String::as_str)];
        let other = holders.into_iter().flatten().filter(|holder| *holder != label).find_map(|holder| {
            self.owners.get(holder).filter(|owner| owner.key.node == key.node).map(|owner| owner.subject.clone())
        });
        if let Some(other) = other {
            self.waiting.entry(object).or_default().insert(key);
            return Err(other);
        }
        self.applying.insert(object, label.to_owned());
        Ok(())
    }

    /// Records that the apply of an object has ended.
    pub(crate) fn applied(&mut self, object: &ObjectRef) {
        self.applying.remove(&versionless(object));
    }

    /// Removes and returns the keys that wait for an object that has another owner now, or is
    /// deleted.
    pub(crate) fn freed(&mut self, object: &ObjectRef) -> HashSet<Key> {
        self.waiting.remove(&versionless(object)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::Kind;

    use super::*;
    use crate::plugin::{NodeId, SubjectId};

    fn key(node: u32, subject: u32) -> Key {
        Key { node: NodeId(node), subject: SubjectId(subject) }
    }

    fn object(name: &str) -> ObjectRef {
        ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), name)
    }

    /// Two subjects, `x` and `y`, of one reconciler, and one of another.
    fn claims() -> Claims {
        let mut claims = Claims::default();
        claims.track("label-x".into(), key(0, 0), object("x"));
        claims.track("label-y".into(), key(0, 1), object("y"));
        claims.track("label-other".into(), key(1, 0), object("x"));
        claims
    }

    #[test]
    fn an_object_that_one_subject_owns_is_refused_to_another_of_the_same_reconciler() {
        let mut claims = claims();
        let wanted = object("shared");
        assert_eq!(claims.claim(key(0, 1), "label-y", &wanted, Some("label-x")), Err(object("x")));
        assert_eq!(claims.claim(key(0, 0), "label-x", &wanted, Some("label-x")), Ok(()));
        claims.applied(&wanted);
        assert_eq!(
            claims.claim(key(0, 1), "label-y", &wanted, Some("label-other")),
            Ok(()),
            "a field conflict decides"
        );
    }

    #[test]
    fn an_object_that_is_being_created_belongs_to_the_key_that_began() {
        let mut claims = claims();
        let wanted = object("shared");
        assert_eq!(claims.claim(key(0, 0), "label-x", &wanted, None), Ok(()));
        assert_eq!(claims.claim(key(0, 1), "label-y", &wanted, None), Err(object("x")));
        claims.applied(&wanted);
        assert_eq!(claims.claim(key(0, 1), "label-y", &wanted, None), Ok(()));
    }

    #[test]
    fn a_refused_key_is_requeued_when_the_object_is_freed_unless_its_subject_is_gone() {
        let mut claims = claims();
        let wanted = object("shared");
        claims.claim(key(0, 1), "label-y", &wanted, Some("label-x")).unwrap_err();
        assert_eq!(claims.freed(&wanted), HashSet::from([key(0, 1)]));
        assert_eq!(claims.freed(&wanted), HashSet::new());
        claims.claim(key(0, 1), "label-y", &wanted, Some("label-x")).unwrap_err();
        claims.forget("label-y", key(0, 1));
        assert_eq!(claims.freed(&wanted), HashSet::new());
    }

    #[test]
    fn an_object_is_claimed_in_all_versions_of_its_kind() {
        let mut claims = claims();
        let wanted = |version: &str| ObjectRef::new(Kind::new(version, "Box"), Some("a"), "b");
        let (v1, beta) = (wanted("example.com/v1"), wanted("example.com/v1beta1"));
        assert_eq!(claims.claim(key(0, 0), "label-x", &v1, None), Ok(()));
        assert_eq!(claims.claim(key(0, 1), "label-y", &beta, None), Err(object("x")));
        assert_eq!(claims.freed(&v1), HashSet::from([key(0, 1)]));
    }

    #[test]
    fn the_objects_of_a_subject_that_is_gone_are_free() {
        let mut claims = claims();
        claims.forget("label-x", key(0, 0));
        assert_eq!(claims.claim(key(0, 1), "label-y", &object("shared"), Some("label-x")), Ok(()));
        assert_eq!((claims.owner("label-x"), claims.owner("label-y")), (None, Some(key(0, 1))));
    }
}
