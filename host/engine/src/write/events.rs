//! Events about the subject and other objects. A lost Event is logged, and does not fail the reconcile.

use mizzen_cluster::{EventRecord, Scope};
use mizzen_model::{Event, ObjectRef, Severity};

use super::writer::Writer;

/// What the host does when it publishes an Event.
const ACTION: &str = "Reconcile";

impl Writer {
    /// Publishes Events of the plugin.
    pub(crate) async fn publish(&self, events: &[Event]) {
        for event in events {
            let regarding = event.regarding.as_ref().unwrap_or(&self.subject.reference);
            // Without a uid, `kubectl describe` does not show the Event with its object.
            let uid = match &event.regarding {
                None => self.subject.uid.to_string(),
                Some(other) => self.uid(other).unwrap_or_default(),
            };
            self.send(self.event(regarding, uid, event.severity, &event.reason, &event.message)).await;
        }
    }

    /// Publishes an Event about the subject.
    pub(crate) async fn report_event(&self, severity: Severity, reason: &str, message: &str) {
        let uid = self.subject.uid.to_string();
        self.send(self.event(&self.subject.reference, uid, severity, reason, message)).await;
    }

    pub(super) fn event(
        &self,
        regarding: &ObjectRef,
        regarding_uid: String,
        severity: Severity,
        reason: &str,
        note: &str,
    ) -> EventRecord {
        EventRecord {
            reporter: self.plugin.field_manager(),
            regarding: regarding.clone(),
            regarding_uid,
            severity,
            reason: reason.to_owned(),
            action: ACTION.to_owned(),
            note: note.to_owned(),
        }
    }

    /// The uid of an object, if a store has the object.
    fn uid(&self, object: &ObjectRef) -> Option<String> {
        let found =
            [Scope::All, Scope::Owned].into_iter().find_map(|scope| self.cluster().get(scope, object).ok().flatten());
        found.map(|object| object.uid.to_string())
    }

    pub(super) async fn send(&self, record: EventRecord) {
        if let Err(error) = self.cluster().publish(record).await {
            tracing::warn!(reconciler = self.plugin.name(), subject = %self.subject.reference, %error, "lost an Event");
        }
    }
}
