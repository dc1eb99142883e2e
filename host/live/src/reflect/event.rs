//! One event of a watch, projected.

use kube::api::WatchEvent;
use mizzen_model::{Fields, Kind, Object};

use crate::document::Document;
use crate::link::Fault;

/// Marks the end of the list in a streaming list.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// One event of a watch.
#[derive(Debug)]
pub(super) enum Event {
    /// The object exists, with this content.
    Present(Object),
    /// The object was deleted; its last content, with the revision of the deletion.
    Deleted(Object),
    /// Everything up to this revision has been sent.
    Bookmark {
        /// The revision.
        version: String,
        /// Whether the initial list ends here.
        ends_list: bool,
    },
}

impl Event {
    /// Reads an event. `None`: its object is invalid.
    pub(super) fn read(event: WatchEvent<Document>, kind: &Kind, fields: &Fields) -> Result<Option<Self>, Fault> {
        Ok(match event {
            WatchEvent::Added(document) | WatchEvent::Modified(document) => {
                object(document, kind, fields).map(Self::Present)
            }
            WatchEvent::Deleted(document) => object(document, kind, fields).map(Self::Deleted),
            WatchEvent::Bookmark(bookmark) => Some(Self::Bookmark {
                ends_list: bookmark.metadata.annotations.contains_key(INITIAL_EVENTS_END),
                version: bookmark.metadata.resource_version,
            }),
            WatchEvent::Error(status) => return Err(Fault::Refused(status)),
        })
    }

    /// Its revision.
    pub(super) fn version(&self) -> String {
        match self {
            Self::Present(object) | Self::Deleted(object) => object.resource_version.to_string(),
            Self::Bookmark { version, .. } => version.clone(),
        }
    }
}

/// Projects a document. An invalid one is skipped: it must not stop a view.
pub(super) fn object(document: Document, kind: &Kind, fields: &Fields) -> Option<Object> {
    match document.object(kind, fields) {
        Ok(object) => Some(object),
        Err(error) => {
            tracing::warn!(%kind, %error, "skipped an invalid object");
            None
        }
    }
}
