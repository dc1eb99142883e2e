//! The writer of one reconcile: what it knows, and what it wrote.

use std::borrow::Cow;
use std::sync::Arc;

use mizzen_cluster::{Cluster, ReadError, Scope, WriteError};
use mizzen_model::{Digest, Object, ObjectRef};
use serde_json::Value;

use super::change::Change;
use super::disruptions::Disruptions;
use super::drift;
use crate::context::Context;
use crate::memo::{LastWrite, LastWrites, Memory, OwnWrites, WrittenPart};
use crate::names::owner_label;
use crate::observe::{self, Verb};
use crate::plugin::{Key, Plugin};
use crate::unconfirmed::Unconfirmed;

/// Writes for one key.
pub(crate) struct Writer {
    pub(super) context: Context,
    pub(super) key: Key,
    pub(super) plugin: Plugin,
    pub(super) subject: Arc<Object>,
    /// The owner label of this key.
    pub(super) owner: String,
    /// What earlier reconciles wrote; kept up to date here.
    pub(super) last_writes: LastWrites,
    /// Objects of applies without a response.
    pub(super) unconfirmed: Unconfirmed,
    /// Whether it was reported that objects carry the owner label of this key and are not owned.
    pub(super) reported_ignored: bool,
    /// The changes that this reconcile made, except those of finalizers.
    pub(crate) changes: Vec<Change>,
    /// The number of writes.
    pub(crate) writes: usize,
    /// The state of the outcome's patches and deletions.
    pub(crate) disruptions: Disruptions,
}

// === impl Writer ===

impl Writer {
    pub(crate) fn new(context: Context, key: Key, plugin: Plugin, subject: Arc<Object>, memory: &mut Memory) -> Self {
        let owner = owner_label(plugin.name(), &subject.reference);
        Self {
            context,
            key,
            plugin,
            subject,
            owner,
            last_writes: std::mem::take(&mut memory.last_writes),
            unconfirmed: std::mem::take(&mut memory.unconfirmed),
            reported_ignored: memory.reported_ignored,
            changes: Vec::new(),
            writes: 0,
            disruptions: Disruptions::default(),
        }
    }

    /// Puts what is known of written objects back into the memory of the key, and returns the versions that this
    /// reconcile wrote.
    pub(crate) fn finish(self, memory: &mut Memory) -> OwnWrites {
        memory.last_writes = self.last_writes;
        memory.unconfirmed = self.unconfirmed;
        memory.reported_ignored = self.reported_ignored;
        let mut versions = OwnWrites::new();
        for object in self.changes.into_iter().filter_map(|change| change.after) {
            versions.entry(object.reference.clone()).or_default().push(object.resource_version);
        }
        versions
    }

    pub(super) fn cluster(&self) -> &dyn Cluster {
        &*self.context.cluster
    }

    /// An object as the store has it; `None` also where the kind is not served: a write will say so.
    ///
    /// # Errors
    /// [`WriteError::Unavailable`]: the store can't tell whether it exists.
    pub(super) fn live(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, WriteError> {
        match self.cluster().get(scope, object) {
            Ok(live) => Ok(live),
            Err(ReadError::NotServed(_)) => Ok(None),
            Err(error) => Err(unavailable(object, &error)),
        }
    }

    /// Counts and reports a write.
    pub(super) fn wrote(&mut self, verb: Verb, object: &ObjectRef, change: Change) {
        self.writes += 1;
        self.context.observer.wrote(&observe::Written {
            reconciler: self.plugin.name(),
            subject: &self.subject.reference,
            verb,
            object,
            before: change.before.clone(),
            after: change.after.clone(),
        });
        if verb != Verb::Finalizer {
            self.changes.push(change);
        }
    }

    /// Digest of the live values of the wanted fields if they have not drifted; `None` if they have.
    ///
    /// They have not if the version is the one after our last write, or if the values are those wanted, or those that
    /// the API server made of them at our last write. `wanted` is only called where the values have to be compared;
    /// it returns `None` if the object differs whatever its values.
    pub(super) fn undrifted<'w>(
        &self,
        live: &Object,
        digest: Digest,
        wanted: impl FnOnce(&Value) -> Option<Cow<'w, Value>>,
    ) -> Option<Digest> {
        let known = self.last_writes.get(&live.reference).and_then(|last| match last.what {
            WrittenPart::Object { wanted, live, .. } | WrittenPart::Fields { wanted, live } if wanted == digest => {
                Some((last.version, live))
            }
            _ => None,
        });
        if let Some((version, values)) = known
            && version == live.resource_version
        {
            return Some(values);
        }
        let value = live.value();
        let wanted = wanted(&value)?;
        let values = drift::digest(&value, &wanted);
        let is_rewritten = known.is_some_and(|(_, known)| known == values);
        (is_rewritten || drift::holds(&value, &wanted)).then_some(values)
    }

    /// Remembers an object as it is after a write. Returns whether an earlier write of it was known.
    pub(super) fn record_write(&mut self, live: &Object, what: WrittenPart) -> bool {
        let write = LastWrite { uid: live.uid.clone(), version: live.resource_version, what };
        self.last_writes.insert(live.reference.clone(), write).is_some()
    }
}

/// The error of a write that depends on a read that failed.
pub(super) fn unavailable(object: &impl ToString, error: &ReadError) -> WriteError {
    WriteError::Unavailable { object: object.to_string(), message: error.to_string() }
}
