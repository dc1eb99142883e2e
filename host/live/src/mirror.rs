//! One view: the objects of a kind as a reflector keeps them, and whether they may be read.
//!
//! Two things write here: the reflector's watch, and the answers to the host's own writes, which come first. Revisions order them:
//! what the watch has already told of is never overwritten by a late answer, nor a fresh answer by a late event.

mod progress;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use mizzen_cluster::store::{Inserted, Store};
use mizzen_cluster::{Change, RECONCILER_LABEL, ReadError, Scope, Selection};
use mizzen_model::{Fields, Kind, Object, ObjectRef};

use self::progress::Progress;
pub(crate) use self::progress::is_definite;
use crate::subscribers::Subscribers;

/// A list on its way in.
pub(crate) type Staged = BTreeMap<ObjectRef, Arc<Object>>;

/// One view of the cluster.
pub(crate) struct Mirror {
    kind: Kind,
    scope: Scope,
    changes: Arc<Subscribers>,
    content: RwLock<Content>,
    /// Locked after `content` where both are.
    progress: Progress,
}

struct Content {
    store: Store,
    /// What the objects in it have at least.
    fields: Fields,
    /// The generation of the reflector that fills it; 0 while there is none.
    feeder: u64,
    /// The newest revision that the feeder told of.
    seen: u64,
}

/// What became of a list.
#[derive(Debug)]
pub(crate) enum Adoption {
    /// It is what is read from now on.
    Done,
    /// The reflector that fills the view is ahead of it.
    Behind(Staged),
    /// A wider view took over.
    Superseded,
}

impl Mirror {
    pub(crate) fn new(kind: Kind, scope: Scope, changes: Arc<Subscribers>) -> Self {
        let content = Content { store: Store::default(), fields: Fields::identity(), feeder: 0, seen: 0 };
        let progress = Progress::new(kind.clone());
        Self { kind, scope, changes, content: RwLock::new(content), progress }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Asks for fields. When no reflector keeps them yet, the generation and fields of the one to be started.
    pub(crate) fn want(&self, fields: &Fields) -> Option<(u64, Fields)> {
        self.progress.want(fields)
    }

    /// Waits until `fields` can be read, or until the reflector that is to keep them met an obstacle.
    pub(crate) async fn ready(&self, fields: &Fields) -> Result<(), ReadError> {
        self.progress.ready(fields).await
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        Ok(self.readable()?.store.get(object))
    }

    pub(crate) fn list(&self, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        Ok(self.readable()?.store.list(selection))
    }

    /// Locks first, and so never comes between the changes that a list tells of and the list.
    fn readable(&self) -> Result<RwLockReadGuard<'_, Content>, ReadError> {
        let content = self.content.read().unwrap_or_else(PoisonError::into_inner);
        self.progress.readable()?;
        Ok(content)
    }

    /// Whether a list was ever complete.
    pub(crate) fn has_content(&self) -> bool {
        self.progress.has_content()
    }

    /// The reflector of this generation does not get on.
    pub(crate) fn blocked(&self, generation: u64, error: &ReadError) {
        if self.progress.blocked(generation, error) {
            self.tell_served();
        }
    }

    /// The reflector of this generation gets on again where it was.
    pub(crate) fn resumed(&self, generation: u64) {
        if self.progress.resumed(generation) {
            self.tell_served();
        }
    }

    /// The object as it is held already, if that is this revision with these fields: no need to hold it twice.
    pub(crate) fn held(&self, object: &Object, fields: &Fields) -> Option<Arc<Object>> {
        let content = self.content.read().unwrap_or_else(PoisonError::into_inner);
        let held = content.store.get(&object.reference)?;
        (content.fields == *fields && *held == *object).then_some(held)
    }

    /// Takes in a complete list of revision `version`.
    pub(crate) fn adopt(&self, generation: u64, fields: &Fields, version: u64, mut staged: Staged) -> Adoption {
        let mut content = self.write();
        if generation < content.feeder {
            return Adoption::Superseded;
        }
        let widened = content.feeder != generation && content.feeder != 0;
        if widened && version < content.seen {
            return Adoption::Behind(staged);
        }
        let mut replaced = Vec::new();
        if version >= content.seen {
            // What is newer than the list came from the host's own writes: the watch will tell of it.
            for object in content.store.iter().filter(|object| object.resource_version > version) {
                staged.insert(object.reference.clone(), Arc::clone(object));
            }
        } else {
            // The cluster was restored from a backup: revisions begin again, and the list is all there is.
            replaced = content.store.replace(Vec::new());
        }
        let narrower = std::mem::replace(&mut content.fields, fields.clone());
        content.feeder = generation;
        content.seen = version;
        replaced.extend(content.store.replace(staged.into_values().collect()));
        for (before, after) in replaced {
            if let (true, Some(before), Some(after)) = (widened, &before, &after)
                && !differs(before, &after.project(&narrower))
            {
                continue;
            }
            self.tell(before, after);
        }
        // Last: who waits for the list is not to be told of it piece by piece.
        if self.progress.listed(generation, fields) {
            self.tell_served();
        }
        Adoption::Done
    }

    /// Takes in what the watch told of. False when a wider view took over.
    pub(crate) fn upsert(&self, generation: u64, object: Arc<Object>) -> bool {
        let mut content = self.write();
        if content.feeder != generation {
            return content.feeder < generation;
        }
        content.seen = content.seen.max(object.resource_version);
        self.put(&mut content, object);
        true
    }

    /// Takes out what the watch told was deleted at revision `version`. False when a wider view took over.
    pub(crate) fn remove(&self, generation: u64, object: &ObjectRef, version: u64) -> bool {
        let mut content = self.write();
        if content.feeder != generation {
            return content.feeder < generation;
        }
        content.seen = content.seen.max(version);
        self.take(&mut content, object, version);
        true
    }

    /// Takes in a whole object that this view's own watch may have yet to tell of: from the answer to a write of the host, or from the watch of
    /// another view.
    pub(crate) fn heard(&self, object: &Arc<Object>) {
        // Often it is here already. Then nothing has to be projected.
        if self.content.read().unwrap_or_else(PoisonError::into_inner).knows(object) {
            return;
        }
        let object = &object.project(&self.progress.wanted());
        let mut content = self.write();
        // Late: the watch has told of this and perhaps of the object's end.
        if content.feeder == 0 || object.resource_version <= content.seen {
            return;
        }
        if self.scope == Scope::All || object.labels.get(RECONCILER_LABEL).is_some() {
            self.put(&mut content, Arc::clone(object));
        } else {
            self.take(&mut content, &object.reference, object.resource_version);
        }
    }

    fn put(&self, content: &mut Content, after: Arc<Object>) {
        if content.knows(&after) {
            return;
        }
        match content.store.insert(Arc::clone(&after)) {
            Inserted::New => self.tell(None, Some(after)),
            Inserted::Changed { before } => self.tell(Some(before), Some(after)),
            Inserted::Same | Inserted::Stale => {}
        }
    }

    fn take(&self, content: &mut Content, object: &ObjectRef, version: u64) {
        if content.store.get(object).is_some_and(|held| held.resource_version <= version)
            && let Some(before) = content.store.remove(object)
        {
            self.tell(Some(before), None);
        }
    }

    fn tell_served(&self) {
        self.changes.send(&Change::Served(self.kind.clone()));
    }

    fn tell(&self, before: Option<Arc<Object>>, after: Option<Arc<Object>>) {
        self.changes.send(&Change::Object { scope: self.scope, before, after });
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Content ===

impl Content {
    /// Whether this revision of an object, or a newer one, is held. The store refuses older ones itself, but an object made anew is another
    /// one to it.
    fn knows(&self, object: &Object) -> bool {
        let is_known = |held: Arc<Object>| held.resource_version >= object.resource_version;
        object.resource_version != 0 && self.store.get(&object.reference).is_some_and(is_known)
    }
}

/// Whether a reader could tell two revisions of an object apart.
fn differs(before: &Object, after: &Object) -> bool {
    before.json() != after.json() || before.labels != after.labels || before.deleting != after.deleting
}

#[cfg(test)]
mod tests;
