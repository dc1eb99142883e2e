//! Publishes Events. kube's recorder turns repeats within minutes into one Event with a count.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use mizzen_cluster::{EventRecord, WriteError};
use mizzen_model::Severity;
use parking_lot::Mutex;

use crate::errors::write_error;
use crate::link::Link;

/// Bytes of a note. The API server refuses longer ones; the beginning of a note says more than no
/// note.
const LONGEST_NOTE: usize = 1024;

/// Bytes of a reason or an action.
const LONGEST_WORD: usize = 128;

/// One recorder for each reporting controller.
pub(crate) struct Events {
    link: Link,
    recorders: Mutex<HashMap<String, Recorder>>,
}

impl Events {
    pub(crate) fn new(link: Link) -> Self {
        Self { link, recorders: Mutex::default() }
    }

    /// Publishes an Event in the namespace of the object that it is about, or in `default`.
    pub(crate) async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        let EventRecord { reporter, regarding, regarding_uid, severity, reason, action, note } = event;
        let object = format!("an Event about {regarding}");
        self.link.admit_write().map_err(|fault| write_error(object.clone(), &reporter, fault))?;
        let recorder = self.recorder(&reporter);
        let about = ObjectReference {
            api_version: Some(regarding.kind.api_version.to_string()),
            kind: Some(regarding.kind.name.to_string()),
            namespace: regarding.namespace.map(|namespace| namespace.to_string()),
            name: Some(regarding.name.to_string()),
            uid: Some(regarding_uid).filter(|uid| !uid.is_empty()),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: match severity {
                Severity::Normal => EventType::Normal,
                Severity::Warning => EventType::Warning,
            },
            reason: cut(reason, LONGEST_WORD),
            action: cut(action, LONGEST_WORD),
            note: Some(cut(note, LONGEST_NOTE)),
            secondary: None,
        };
        let published = recorder.publish(&event, &about).await;
        published.map_err(|error| write_error(object, &reporter, self.link.fault(error)))
    }

    fn recorder(&self, reporter: &str) -> Recorder {
        let mut recorders = self.recorders.lock();
        let recorder = recorders
            .entry(reporter.to_owned())
            .or_insert_with(|| Recorder::new(self.link.client().clone(), Reporter::from(reporter)));
        recorder.clone()
    }
}

/// Cuts a text to at most `longest` bytes, between characters.
fn cut(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_cut_between_characters() {
        assert_eq!(cut("äöü".into(), 3), "ä");
        assert_eq!(cut("ab".into(), 3), "ab");
    }
}
