//! Publishes Events. Repeats within minutes become one Event with a count, as kube's recorder does it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use mizzen_cluster::{EventRecord, WriteError};
use mizzen_model::Severity;

use crate::errors::write_error;
use crate::link::Link;

/// The API server refuses longer notes, and longer reasons and actions; half of one tells more than none.
const LONGEST_NOTE: usize = 1024;
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

    /// Publishes an Event in the namespace of what it is about, or in `default`.
    pub(crate) async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        let EventRecord { reporter, regarding, regarding_uid, severity, reason, action, note } = event;
        let object = format!("an Event about {regarding}");
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
        let mut recorders = self.recorders.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = recorders
            .entry(reporter.to_owned())
            .or_insert_with(|| Recorder::new(self.link.client().clone(), Reporter::from(reporter)));
        recorder.clone()
    }
}

/// The text's beginning, at most `longest` bytes of it.
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
