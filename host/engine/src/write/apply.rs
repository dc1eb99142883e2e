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
        let name = self.plugin.name();
        let own_managers = [names::field_manager(name), names::failure_manager(name)];
        let own_condition = format!(".status.conditions[type={:?}]", names::field_manager(name));
        let annotation = names::pace_annotation(name);
        let takes_over = |field: &ForeignField| match policy {
            ConflictPolicy::RepairDrift => !field.applied,
            ConflictPolicy::Status { conditions_by_type } => {
                own_managers.contains(&field.manager)
                    || field.field.starts_with(&own_condition)
                    || !conditions_by_type && field.field == ".status.conditions"
            }
            ConflictPolicy::PaceAnnotation => field.field.ends_with(&annotation),
            ConflictPolicy::Force | ConflictPolicy::Yield => false,
        };
        match self.cluster().apply(Apply { force: policy == ConflictPolicy::Force, ..apply }).await {
            Err(WriteError::Conflict { fields, .. }) if fields.iter().all(takes_over) => {
                self.cluster().apply(Apply { force: true, ..apply }).await
            }
            Err(WriteError::Conflict { object, manager, mut fields }) => {
                fields.retain(|field| !takes_over(field));
                Err(WriteError::Conflict { object, manager, fields })
            }
            applied => applied,
        }
    }
}
