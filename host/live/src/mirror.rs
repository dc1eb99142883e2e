//! One view: the objects of a kind as a reflector keeps them, and whether they may be read.
//!
//! Two things write here: the reflector's watch, and the answers to the host's own writes, which come first. Revisions order them:
//! what the watch has already told of is never overwritten by a late answer, nor a fresh answer by a late event.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use mizzen_cluster::store::{Inserted, Store};
use mizzen_cluster::{Change, RECONCILER_LABEL, ReadError, Scope};
use mizzen_model::{Fields, Kind, Object, ObjectRef, Selector};
use tokio::sync::watch;

use crate::document::Document;
use crate::subscribers::Subscribers;

/// A list on its way in.
pub(crate) type Staged = BTreeMap<ObjectRef, Arc<Object>>;

/// One view of the cluster.
pub(crate) struct Mirror {
    kind: Kind,
    scope: Scope,
    changes: Arc<Subscribers>,
    content: RwLock<Content>,
    /// Taken after `content` where both are.
    state: watch::Sender<State>,
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

struct State {
    /// What the newest reflector keeps.
    wanted: Fields,
    /// Counts the reflectors of this view: a wider view is a new one.
    newest: u64,
    /// The fields that can be read; `None` before the first list is complete.
    kept: Option<Fields>,
    /// Why the reflector of that generation does not get on.
    obstacle: Option<(u64, ReadError)>,
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
        let state = State { wanted: Fields::identity(), newest: 0, kept: None, obstacle: None };
        Self { kind, scope, changes, content: RwLock::new(content), state: watch::Sender::new(state) }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// Asks for fields. When no reflector keeps them yet, the generation and fields of the one to be started.
    pub(crate) fn want(&self, fields: &Fields) -> Option<(u64, Fields)> {
        let mut begun = None;
        self.state.send_if_modified(|state| {
            if state.newest > 0 && state.wanted.covers(fields) {
                return false;
            }
            state.wanted = if state.newest == 0 { fields.clone() } else { state.wanted.union(fields) };
            state.newest += 1;
            begun = Some((state.newest, state.wanted.clone()));
            true
        });
        begun
    }

    /// Waits until `fields` can be read, or until the reflector that is to keep them met an obstacle.
    pub(crate) async fn ready(&self, fields: &Fields) -> Result<(), ReadError> {
        let mut state = self.state.subscribe();
        let answer = |state: &State| match (&state.obstacle, &state.kept) {
            (Some((_, error)), _) if is_definite(error) => Some(Err(error.clone())),
            (_, Some(kept)) if kept.covers(fields) => Some(Ok(())),
            (Some((at, error)), _) if *at == state.newest => Some(Err(error.clone())),
            _ => None,
        };
        match state.wait_for(|state| answer(state).is_some()).await {
            Ok(state) => answer(&state).unwrap_or_else(|| Err(ReadError::NotSynced(self.kind.clone()))),
            Err(_) => Err(ReadError::NotSynced(self.kind.clone())),
        }
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.readable()?;
        Ok(self.content.read().unwrap_or_else(PoisonError::into_inner).store.get(object))
    }

    pub(crate) fn list(&self, namespace: Option<&str>, labels: &Selector) -> Result<Vec<Arc<Object>>, ReadError> {
        self.readable()?;
        Ok(self.content.read().unwrap_or_else(PoisonError::into_inner).store.list(namespace, labels))
    }

    fn readable(&self) -> Result<(), ReadError> {
        let state = self.state.borrow();
        match (&state.obstacle, &state.kept) {
            (Some((_, error)), _) if is_definite(error) => Err(error.clone()),
            // An API server that is away does not make what was read from it unknown.
            (_, Some(_)) => Ok(()),
            (Some((_, error)), None) => Err(error.clone()),
            (None, None) => Err(ReadError::NotSynced(self.kind.clone())),
        }
    }

    /// Whether a list was ever complete.
    pub(crate) fn has_content(&self) -> bool {
        self.state.borrow().kept.is_some()
    }

    /// The reflector of this generation does not get on.
    pub(crate) fn blocked(&self, generation: u64, error: &ReadError) {
        let mut lost = false;
        self.state.send_if_modified(|state| {
            if state.newest != generation {
                return false;
            }
            let was_lost = state.obstacle.as_ref().is_some_and(|(_, error)| is_definite(error));
            lost = state.kept.is_some() && is_definite(error) && !was_lost;
            state.obstacle = Some((generation, error.clone()));
            true
        });
        if lost {
            self.changes.send(&Change::Served(self.kind.clone()));
        }
    }

    /// The reflector of this generation gets on again where it was.
    pub(crate) fn resumed(&self, generation: u64) {
        let mut back = false;
        self.state.send_if_modified(|state| {
            if state.newest != generation || state.obstacle.is_none() {
                return false;
            }
            back = state.obstacle.take().is_some_and(|(_, error)| is_definite(&error));
            true
        });
        if back {
            self.changes.send(&Change::Served(self.kind.clone()));
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
        self.settle(generation, fields);
        for (before, after) in replaced {
            if let (true, Some(before), Some(after)) = (widened, &before, &after)
                && !differs(before, &after.project(&narrower))
            {
                continue;
            }
            self.tell(before, after);
        }
        Adoption::Done
    }

    fn settle(&self, generation: u64, fields: &Fields) {
        let mut back = false;
        self.state.send_modify(|state| {
            state.kept = Some(fields.clone());
            if state.newest == generation {
                back = state.obstacle.take().is_some();
            }
        });
        if back {
            self.changes.send(&Change::Served(self.kind.clone()));
        }
    }

    /// Takes in what the watch told of. False when a wider view took over.
    pub(crate) fn upsert(&self, generation: u64, object: Object) -> bool {
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

    /// Takes in the answer to a write of the host.
    pub(crate) fn wrote(&self, document: &Document) {
        let wanted = self.state.borrow().wanted.clone();
        let Ok(object) = document.clone().object(&self.kind, &wanted) else { return };
        let mut content = self.write();
        // A late answer: the watch has told of this and perhaps of the object's end.
        if content.feeder == 0 || object.resource_version <= content.seen {
            return;
        }
        if self.scope == Scope::All || object.labels.get(RECONCILER_LABEL).is_some() {
            self.put(&mut content, object);
        } else {
            self.take(&mut content, &object.reference, object.resource_version);
        }
    }

    fn put(&self, content: &mut Content, object: Object) {
        if content.store.get(&object.reference).is_some_and(|held| held.resource_version >= object.resource_version) {
            return;
        }
        let after = Arc::new(object);
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

    fn tell(&self, before: Option<Arc<Object>>, after: Option<Arc<Object>>) {
        self.changes.send(&Change::Object { scope: self.scope, before, after });
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a reader could tell two revisions of an object apart.
fn differs(before: &Object, after: &Object) -> bool {
    before.json() != after.json() || before.labels != after.labels || before.deleting != after.deleting
}

/// Whether an error is the API server's considered answer, and not the lack of one.
pub(crate) fn is_definite(error: &ReadError) -> bool {
    matches!(error, ReadError::NotServed(_) | ReadError::Forbidden { .. })
}

#[cfg(test)]
mod tests;
