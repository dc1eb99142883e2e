//! Server-side apply, with the conflicts that the policy takes over.

use std::sync::Arc;

use mizzen_cluster::{Apply, ForeignField, WriteError};
use mizzen_model::Object;

use super::conflict::ConflictPolicy;
use super::writer::Writer;
use crate::names;

impl Writer {
    /// Applies, and once more by force if all conflicts are such that the policy takes the fields over.
    pub(super) async fn apply(&self, apply: Apply<'_>, policy: ConflictPolicy) -> Result<Arc<Object>, WriteError> {
        let failure = names::failure_manager(self.plugin.name());
        let annotation = names::pace_annotation(self.plugin.name());
        let takes_over = |field: &ForeignField| match policy {
            // The condition of an earlier failure is this reconciler's own, under another manager.
            ConflictPolicy::RepairDrift => !field.applied || field.manager == failure,
            ConflictPolicy::PaceAnnotation => field.field.ends_with(&annotation),
            ConflictPolicy::Force | ConflictPolicy::Yield => false,
        };
        match self.cluster().apply(Apply { force: policy == ConflictPolicy::Force, ..apply }).await {
            Err(WriteError::Conflict { fields, .. }) if fields.iter().all(takes_over) => {
                self.cluster().apply(Apply { force: true, ..apply }).await
            }
            applied => applied,
        }
    }
}
