//! Server-side apply, with the conflicts that the policy takes over.

use std::borrow::Cow;
use std::sync::Arc;

use mizzen_cluster::{Apply, ForeignField, WriteError};
use mizzen_model::Object;

use super::conflict::ConflictPolicy;
use super::writer::Writer;
use crate::names;

impl Writer {
    /// Applies, and once more by force if all conflicts are such that the policy takes the fields over. With the
    /// version that was `seen` before, only over that one: another manager may apply in between, and its fields stay.
    pub(super) async fn apply(
        &self,
        apply: Apply<'_>,
        policy: ConflictPolicy,
        seen: Option<u64>,
    ) -> Result<Arc<Object>, WriteError> {
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
                let mut document = Cow::Borrowed(apply.document);
                if let Some(seen) = seen {
                    document.to_mut()["metadata"]["resourceVersion"] = seen.to_string().into();
                }
                self.cluster().apply(Apply { force: true, document: &document, ..apply }).await
            }
            Err(WriteError::Conflict { object, manager, mut fields }) => {
                fields.retain(|field| !takes_over(field));
                Err(WriteError::Conflict { object, manager, fields })
            }
            applied => applied,
        }
    }
}
