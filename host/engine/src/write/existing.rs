//! What exists in the place of a desired object, and whose it is.

use std::sync::Arc;

use mizzen_cluster::{APPLIED_ANNOTATION, Owner, Ownership, RECONCILER_LABEL, ReadError, WriteError};
use mizzen_model::Object;
use serde_json::Value;

use super::writer::{Writer, unavailable};
use crate::memo::WrittenPart;
use crate::names::offers_adoption;
use crate::prepare::Item;

/// The object that an apply of a desired object would change.
#[derive(Clone, Debug)]
pub(super) enum Existing {
    /// None: the apply creates it.
    Absent,
    /// One that this key owns.
    Owned(Arc<Object>, Ownership),
    /// One that the reconciler applied for a subject that is gone: this key inherits it.
    Inherited(Arc<Object>, Ownership),
    /// Another party's, which may be adopted.
    Foreign(Arc<Object>),
}

// === impl Existing ===

impl Existing {
    /// The object, and how it will be owned after the apply of `item`.
    pub(super) fn after_apply(self, item: &Item) -> (Option<Arc<Object>>, Ownership) {
        match self {
            Self::Absent => (None, item.ownership),
            Self::Owned(live, Ownership::Adopted) | Self::Inherited(live, Ownership::Adopted) | Self::Foreign(live) => {
                (Some(live), Ownership::Adopted)
            }
            Self::Owned(live, _) | Self::Inherited(live, _) => (Some(live), item.ownership),
        }
    }
}

// === impl Writer ===

impl Writer {
    /// What exists in the place of a desired object. `owned` is what the store has of it.
    ///
    /// An object without the mark of this key is looked up at the API server: the store may not keep it.
    ///
    /// # Errors
    /// [`WriteError::Exists`]: the object belongs to another party, and neither the grant nor the object lets the
    /// reconciler adopt it.
    pub(super) async fn existing(&self, item: &Item, owned: Option<Arc<Object>>) -> Result<Existing, WriteError> {
        if let Some(live) = owned
            && let Some(existing) = self.recognized(&live)
        {
            return Ok(existing);
        }
        let object = &item.reference;
        let found = match self.cluster().lookup(object).await {
            Ok(Some(found)) => found,
            Ok(None) | Err(ReadError::NotServed(_)) => return Ok(Existing::Absent),
            Err(error) => return Err(unavailable(object, &error)),
        };
        if let Some(existing) = self.recognized(&found.object) {
            return Ok(existing);
        }
        let reconciler = self.plugin.name();
        if item.adopt || offers_adoption(&found.object, reconciler) {
            return Ok(Existing::Foreign(found.object));
        }
        let (object, reconciler) = (object.to_string(), reconciler.to_owned());
        Err(WriteError::Exists { object, reconciler, managers: found.managers })
    }

    /// An object that this reconciler applied; `None`: it is another party's.
    fn recognized(&self, live: &Arc<Object>) -> Option<Existing> {
        if let Some(ownership) = self.ownership_of(live).or_else(|| self.last_ownership(live)) {
            return Some(Existing::Owned(Arc::clone(live), ownership));
        }
        let keys = &self.context.ownership;
        let is_own = live.labels.get(RECONCILER_LABEL) == Some(self.plugin.name());
        let inherited = if is_own { keys.recognize_labelled(live) } else { keys.recognize(self.orphaned(), live) };
        inherited.map(|ownership| Existing::Inherited(Arc::clone(live), ownership))
    }

    /// How this key owns an object, by the object's mark; its labels may be gone.
    pub(super) fn ownership_of(&self, live: &Object) -> Option<Ownership> {
        self.context.ownership.recognize(self.as_owner(), live)
    }

    /// How this key owned an object when this run of the host last wrote it: it may have lost its mark since.
    pub(super) fn last_ownership(&self, live: &Object) -> Option<Ownership> {
        let last = self.last_writes.get(&live.reference)?;
        match last.what {
            WrittenPart::Object { ownership, .. } if last.uid == live.uid => Some(ownership),
            _ => None,
        }
    }

    /// This key, as the owner of what it applies.
    pub(super) fn as_owner(&self) -> Owner<'_> {
        Owner { reconciler: self.plugin.name(), label: &self.owner }
    }

    /// The owner of what the reconciler left behind when a subject was deleted.
    pub(super) fn orphaned(&self) -> Owner<'_> {
        Owner { reconciler: self.plugin.name(), label: "" }
    }

    /// The document of a desired object with the mark of how it is owned.
    pub(super) fn marked(&self, item: &Item, ownership: Ownership) -> Value {
        match ownership {
            Ownership::Created | Ownership::NeverPruned => item.value(),
            Ownership::Adopted => item.adopting(&self.adopting_mark(item)),
        }
    }

    fn adopting_mark(&self, item: &Item) -> String {
        self.context.ownership.mark(self.as_owner(), &item.reference, Ownership::Adopted)
    }

    /// How an object is owned if what was applied last is this item, under the key that signs; `None`: it is not.
    pub(super) fn applied_as(&self, live: &Value, item: &Item) -> Option<Ownership> {
        let applied = live["metadata"]["annotations"][APPLIED_ANNOTATION].as_str()?;
        let (mark, digest) = applied.split_once('.')?;
        if digest != item.digest.short() {
            return None;
        }
        if mark == &*item.mark {
            return Some(item.ownership);
        }
        (mark == self.adopting_mark(item)).then_some(Ownership::Adopted)
    }
}
