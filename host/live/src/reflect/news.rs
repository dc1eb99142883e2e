//! What one event of a watch says, projected.

use kube::api::WatchEvent;
use mizzen_model::{Fields, Kind, Object};

use crate::document::Document;
use crate::link::Fault;

/// Marks the end of the list in a streaming list.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// One event of a watch.
#[derive(Debug)]
pub(super) enum News {
    /// The object is there, like this.
    Here(Object),
    /// The object is gone; this is how it was, but with the revision of its end.
    Gone(Object),
    /// Everything up to this revision was told.
    Mark {
        /// The revision.
        version: String,
        /// Whether the first objects, which are the list, end here.
        ends_list: bool,
    },
}

impl News {
    /// Reads an event. `None`: it has nothing usable in it.
    pub(super) fn read(event: WatchEvent<Document>, kind: &Kind, fields: &Fields) -> Result<Option<Self>, Fault> {
        Ok(match event {
            WatchEvent::Added(document) | WatchEvent::Modified(document) => {
                object(document, kind, fields).map(Self::Here)
            }
            WatchEvent::Deleted(document) => object(document, kind, fields).map(Self::Gone),
            WatchEvent::Bookmark(mark) => Some(Self::Mark {
                ends_list: mark.metadata.annotations.contains_key(INITIAL_EVENTS_END),
                version: mark.metadata.resource_version,
            }),
            WatchEvent::Error(status) => return Err(Fault::Refused(status)),
        })
    }

    /// The revision it is from.
    pub(super) fn version(&self) -> String {
        match self {
            Self::Here(object) | Self::Gone(object) => object.resource_version.to_string(),
            Self::Mark { version, .. } => version.clone(),
        }
    }
}

/// The object in a document. What is none is left out: one bad object must not stop a view.
pub(super) fn object(document: Document, kind: &Kind, fields: &Fields) -> Option<Object> {
    match document.object(kind, fields) {
        Ok(object) => Some(object),
        Err(error) => {
            tracing::warn!(%kind, %error, "the API server sent something that is left out");
            None
        }
    }
}
