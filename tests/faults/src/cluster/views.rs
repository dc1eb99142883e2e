//! The stores of one process, which changes reach late.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mizzen_cluster::memory::Memory;
use mizzen_cluster::store::{Inserted, Store};
use mizzen_cluster::{Change, Changes, Cluster, RECONCILER_LABEL, ReadError, Scope, Selection, View};
use mizzen_model::{Fields, Kind, Object};
use tokio::sync::mpsc;

#[derive(Default)]
pub(super) struct Views {
    watched: HashMap<(Kind, Scope), (Fields, Store)>,
    /// Views whose initial list is not complete.
    unsynced: HashSet<(Kind, Scope)>,
    subscribers: Vec<mpsc::UnboundedSender<Change>>,
}

impl Views {
    pub(super) fn subscribe(&mut self) -> Changes {
        let (sender, changes) = mpsc::unbounded_channel();
        self.subscribers.push(sender);
        changes
    }

    pub(super) fn send(&mut self, change: &Change) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }

    pub(super) fn store(&self, scope: Scope, kind: &Kind) -> Result<&Store, ReadError> {
        let key = (kind.clone(), scope);
        let found = self.watched.get(&key).filter(|_| !self.unsynced.contains(&key)).map(|(_, store)| store);
        found.ok_or_else(|| ReadError::NotSynced(kind.clone()))
    }

    /// Lists a view, as a watch that begins does.
    pub(super) fn watch(&mut self, view: View, memory: &Memory) {
        let View { kind, scope, fields } = view;
        let own = self.watched.entry((kind.clone(), scope)).or_insert_with(|| (fields.clone(), Store::new()));
        own.0 = own.0.union(&fields);
        own.1 = Store::new();
        let listed = memory.list(scope, &kind, &Selection::default());
        if listed.is_err() {
            self.unsynced.insert((kind, scope));
        }
        for object in listed.unwrap_or_default() {
            own.1.insert(object);
        }
    }

    /// Lists the views of a kind again, and reports the differences.
    pub(super) fn relist(&mut self, kind: &Kind, memory: &Memory) {
        for scope in [Scope::All, Scope::Owned] {
            let Ok(objects) = memory.list(scope, kind, &Selection::default()) else { continue };
            self.unsynced.remove(&(kind.clone(), scope));
            let Some((_, store)) = self.watched.get_mut(&(kind.clone(), scope)) else { continue };
            for difference in store.replace(objects) {
                self.send(&Change::Object { scope, before: difference.before, after: difference.after });
            }
        }
    }

    /// Shows the response to a write.
    pub(super) fn show(&mut self, object: &Arc<Object>) {
        for scope in [Scope::All, Scope::Owned] {
            let is_visible = scope == Scope::All || object.labels.get(RECONCILER_LABEL).is_some();
            let key = (object.reference.kind.clone(), scope);
            if let Some(fields) = self.watched.get(&key).map(|(fields, _)| fields.clone()).filter(|_| is_visible) {
                self.deliver(scope, None, Some(&object.project(&fields)), false);
            }
        }
    }

    /// Delivers a change of an object, perhaps twice.
    pub(super) fn deliver(
        &mut self,
        scope: Scope,
        before: Option<&Arc<Object>>,
        after: Option<&Arc<Object>>,
        doubled: bool,
    ) {
        let Some(object) = after.or(before) else { return };
        let Some((_, store)) = self.watched.get_mut(&(object.reference.kind.clone(), scope)) else { return };
        let held = store.get(&object.reference);
        let before = match after {
            Some(after) => match store.insert(Arc::clone(after)) {
                Inserted::New => None,
                Inserted::Changed { before } => Some(before),
                Inserted::Same | Inserted::Stale => return,
            },
            // An object that was created again meanwhile is another one.
            None if held.is_some_and(|held| held.uid == object.uid) => store.remove(&object.reference),
            None => return,
        };
        let change = Change::Object { scope, before, after: after.cloned() };
        self.send(&change);
        if doubled {
            self.send(&change);
        }
    }
}
