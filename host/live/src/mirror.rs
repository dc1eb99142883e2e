//! One view: the store that a reflector fills, and whether it can be read.
//!
//! Two sources write to it: the reflector's watch, and the responses to the host's own writes,
//! which come first. Revisions order them: a late response never overwrites what the watch has
//! reported, nor a late event a newer response.

mod progress;

use std::collections::BTreeMap;
use std::sync::Arc;

use mizzen_cluster::store::{Difference, Inserted, Store};
use mizzen_cluster::{Change, RECONCILER_LABEL, ReadError, Scope, Selection};
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use parking_lot::{RwLock, RwLockReadGuard};

use self::progress::Progress;
pub(crate) use self::progress::is_definite;
use crate::subscribers::Subscribers;

/// A list that is being received.
pub(crate) type Staged = BTreeMap<ObjectRef, Arc<Object>>;

/// One view of the cluster.
pub(crate) struct Mirror {
    kind: Kind,
    scope: Scope,
    changes: Arc<Subscribers>,
    content: RwLock<Content>,
    /// Locked after `content` where both are locked.
    progress: Progress,
}

struct Content {
    store: Store,
    /// The fields that its objects have at least.
    fields: Fields,
    /// The generation of the reflector that fills it; 0 while there is none.
    feeder: u64,
    /// The newest revision that the feeder has reported.
    seen: u64,
}

/// The result of replacing a view's content by a list.
#[derive(Debug)]
pub(crate) enum Replaced {
    /// The list is read from this call on.
    Done,
    /// The list is older than what the current reflector has reported.
    Behind(Staged),
    /// The reflector of a wider view fills the store.
    Superseded,
}

/// A reflector to be started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// Counts the reflectors of the view.
    pub(crate) generation: u64,
    /// The fields that it is to keep.
    pub(crate) fields: Fields,
}

// === impl Mirror ===

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

    /// Requests fields. Returns the reflector to be started if none keeps them yet.
    pub(crate) fn want(&self, fields: &Fields) -> Option<Start> {
        let (generation, fields) = self.progress.want(fields)?;
        Some(Start { generation, fields })
    }

    /// Waits until `fields` can be read, or until their reflector fails.
    pub(crate) async fn ready(&self, fields: &Fields) -> Result<(), ReadError> {
        self.progress.ready(fields).await
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        Ok(self.readable()?.store.get(object))
    }

    pub(crate) fn list(&self, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        Ok(self.readable()?.store.list(selection))
    }

    /// Locks before it checks: a reader never sees a list whose changes are not all reported.
    fn readable(&self) -> Result<RwLockReadGuard<'_, Content>, ReadError> {
        let content = self.content.read();
        self.progress.readable()?;
        Ok(content)
    }

    /// Whether a list was ever complete.
    pub(crate) fn has_content(&self) -> bool {
        self.progress.has_content()
    }

    /// The reflector of this generation failed.
    pub(crate) fn blocked(&self, generation: u64, error: &ReadError) {
        if self.progress.blocked(generation, error) {
            self.report_served();
        }
    }

    /// The reflector of this generation resumed its watch.
    pub(crate) fn resumed(&self, generation: u64) {
        if self.progress.resumed(generation) {
            self.report_served();
        }
    }

    /// Returns the stored object if it equals this one and has these fields, so that it is not
    /// stored twice.
    pub(crate) fn stored(&self, object: &Object, fields: &Fields) -> Option<Arc<Object>> {
        let content = self.content.read();
        let stored = content.store.get(&object.reference)?;
        (content.fields == *fields && *stored == *object).then_some(stored)
    }

    /// Replaces the content by a complete list of revision `version`, and reports the differences.
    pub(crate) fn replace(&self, generation: u64, fields: &Fields, version: u64, mut staged: Staged) -> Replaced {
        let mut content = self.content.write();
        if generation < content.feeder {
            return Replaced::Superseded;
        }
        let widened = content.feeder != generation && content.feeder != 0;
        if widened && version < content.seen {
            return Replaced::Behind(staged);
        }
        let mut replaced = Vec::new();
        if version >= content.seen {
            // Objects that are newer than the list came from the host's own writes: the watch will
            // report them.
            for object in content.store.iter().filter(|object| object.resource_version > version) {
                staged.insert(object.reference.clone(), Arc::clone(object));
            }
        } else {
            // The cluster was restored from a backup: its revisions start again, and only the list
            // counts.
            replaced = content.store.replace(Vec::new());
        }
        let narrower = std::mem::replace(&mut content.fields, fields.clone());
        content.feeder = generation;
        content.seen = version;
        replaced.extend(content.store.replace(staged.into_values().collect()));
        for Difference { before, after } in replaced {
            if let (true, Some(before), Some(after)) = (widened, &before, &after)
                && !differs(before, &after.project(&narrower))
            {
                continue;
            }
            self.report(before, after);
        }
        // Last: those waiting for the list must not see its objects one by one.
        if self.progress.listed(generation, fields) {
            self.report_served();
        }
        Replaced::Done
    }

    /// Stores an object of the watch. False if a wider view has taken over.
    pub(crate) fn upsert(&self, generation: u64, object: Arc<Object>) -> bool {
        let mut content = self.content.write();
        if content.feeder != generation {
            return content.feeder < generation;
        }
        content.seen = content.seen.max(object.resource_version);
        self.put(&mut content, object);
        true
    }

    /// Removes an object that the watch reported as deleted at revision `version`. False if a wider
    /// view has taken over.
    pub(crate) fn remove(&self, generation: u64, object: &ObjectRef, version: u64) -> bool {
        let mut content = self.content.write();
        if content.feeder != generation {
            return content.feeder < generation;
        }
        content.seen = content.seen.max(version);
        self.take(&mut content, object, version);
        true
    }

    /// Stores a whole object before this view's own watch reports it: from the response to a write,
    /// or from the other view's watch.
    pub(crate) fn update_early(&self, object: &Arc<Object>) {
        // Often it is stored already; then nothing has to be projected.
        if self.content.read().knows(object) {
            return;
        }
        let object = &object.project(&self.progress.wanted());
        let mut content = self.content.write();
        // Late: the watch has reported this revision, and perhaps the object's deletion.
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
            Inserted::New => self.report(None, Some(after)),
            Inserted::Changed { before } => self.report(Some(before), Some(after)),
            Inserted::Same | Inserted::Stale => {}
        }
    }

    fn take(&self, content: &mut Content, object: &ObjectRef, version: u64) {
        if content.store.get(object).is_some_and(|stored| stored.resource_version <= version)
            && let Some(before) = content.store.remove(object)
        {
            self.report(Some(before), None);
        }
    }

    fn report_served(&self) {
        self.changes.send(&Change::Served(self.kind.clone()));
    }

    fn report(&self, before: Option<Arc<Object>>, after: Option<Arc<Object>>) {
        self.changes.send(&Change::Object { scope: self.scope, before, after });
    }
}

// === impl Content ===

impl Content {
    /// Whether this revision of an object, or a newer one, is stored. The store itself refuses
    /// older ones of the same uid alone.
    fn knows(&self, object: &Object) -> bool {
        let is_known = |stored: Arc<Object>| stored.resource_version >= object.resource_version;
        object.resource_version != 0 && self.store.get(&object.reference).is_some_and(is_known)
    }
}

/// Whether a reader sees a difference between two revisions of an object.
fn differs(before: &Object, after: &Object) -> bool {
    before.json() != after.json() || before.labels != after.labels || before.deleting != after.deleting
}

#[cfg(test)]
mod tests;
