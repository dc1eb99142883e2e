//! Watches single objects by name: using one Secret takes neither all Secrets in memory nor the
//! right to list them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use kube::api::WatchEvent;
use mizzen_cluster::{Change, ObjectWatch, ReadError};
use mizzen_model::{Fields, Object, ObjectRef};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::backoff::{Backoff, HEALTHY};
use crate::document::Document;
use crate::errors::read_error;
use crate::link::{Fault, Link};
use crate::subscribers::Subscribers;

/// Seconds that the API server keeps a watch open; then the object is read again.
const WATCH_SECONDS: u32 = 240;

/// How long a watch may be silent before it counts as lost.
const WATCH_IDLE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);

/// What is known about an object; `None`: it has not been read yet.
type Known = Option<Result<Option<Arc<Object>>, ReadError>>;

/// The objects that are watched.
pub(crate) struct ObjectWatches {
    link: Link,
    changes: Arc<Subscribers>,
    all: Mutex<HashMap<ObjectRef, Weak<Handle>>>,
}

/// A handle of a watched object; the watch ends with the last one.
struct Handle {
    object: ObjectRef,
    known: watch::Receiver<Known>,
    task: AbortHandle,
}

/// Watches one object.
struct Watcher {
    link: Link,
    changes: Arc<Subscribers>,
    object: ObjectRef,
    known: watch::Sender<Known>,
}

// === impl ObjectWatches ===

impl ObjectWatches {
    pub(crate) fn new(link: Link, changes: Arc<Subscribers>) -> Self {
        Self { link, changes, all: Mutex::default() }
    }

    pub(crate) fn watch(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        let mut all = self.all.lock();
        if let Some(handle) = all.get(object).and_then(Weak::upgrade) {
            return handle;
        }
        all.retain(|_, handle| handle.strong_count() > 0);
        let (sender, known) = watch::channel(None);
        let watcher = Watcher {
            link: self.link.clone(),
            changes: Arc::clone(&self.changes),
            object: object.clone(),
            known: sender,
        };
        let task = tokio::spawn(watcher.run()).abort_handle();
        let handle = Arc::new(Handle { object: object.clone(), known, task });
        all.insert(object.clone(), Arc::downgrade(&handle));
        handle
    }
}

// === impl Handle ===

#[async_trait]
impl ObjectWatch for Handle {
    fn object(&self) -> &ObjectRef {
        &self.object
    }

    async fn read(&self) -> Result<Option<Arc<Object>>, ReadError> {
        let mut known = self.known.clone();
        let known = known.wait_for(Option::is_some).await;
        known
            .ok()
            .and_then(|known| known.clone())
            .unwrap_or_else(|| Err(ReadError::NotSynced(self.object.kind.clone())))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Watcher ===

impl Watcher {
    async fn run(self) {
        let mut backoff = Backoff::short();
        loop {
            let begun = Instant::now();
            if let Err(error) = self.watch().await {
                self.record(Err(error));
            }
            if begun.elapsed() >= HEALTHY {
                backoff.reset();
            } else {
                tokio::time::sleep(backoff.next()).await;
            }
        }
    }

    /// Reads the object, and watches it until the watch ends.
    async fn watch(&self) -> Result<(), ReadError> {
        let kind = &self.object.kind;
        let (path, mut version) = (path(&self.object), String::new());
        match self.link.get::<Document>(&path_of(&path, &self.object.name)).await {
            Ok(document) => {
                version.push_str(document.value()["metadata"]["resourceVersion"].as_str().unwrap_or_default());
                self.record(Ok(self.object_of(document)));
            }
            Err(Fault::Refused(status)) if status.code == 404 => self.record(Ok(None)),
            Err(fault) => return Err(read_error(kind, &fault)),
        }
        // Without a revision, as for a missing object, the watch starts with the object if it has
        // been created since.
        let events = self.link.watch_named(&path, &self.object.name, WATCH_SECONDS, &version).await;
        let mut events = events.map_err(|fault| read_error(kind, &fault))?;
        while let Some(event) = tokio::time::timeout(WATCH_IDLE, events.next()).await.unwrap_or_default() {
            match event.map_err(|fault| read_error(kind, &fault))? {
                WatchEvent::Added(document) | WatchEvent::Modified(document) => {
                    self.record(Ok(self.object_of(document)));
                }
                WatchEvent::Deleted(_) => self.record(Ok(None)),
                WatchEvent::Bookmark(_) => {}
                // Usually the revision is too old: the object is read again.
                WatchEvent::Error(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn object_of(&self, document: Document) -> Option<Arc<Object>> {
        document.object(&self.object.kind, &Fields::Whole).ok().map(Arc::new)
    }

    /// Records a reading, and reports it if it differs from the last one. A failure does not hide
    /// an earlier success.
    fn record(&self, now: Result<Option<Arc<Object>>, ReadError>) {
        let mut report = false;
        self.known.send_if_modified(|known| {
            let (first, same) = match (&*known, &now) {
                (None, _) => (true, false),
                (Some(Ok(_)), Err(_)) => (false, true),
                (Some(Ok(before)), Ok(after)) => (false, content(before.as_ref()) == content(after.as_ref())),
                (Some(Err(before)), Err(after)) => (false, before == after),
                (Some(Err(_)), Ok(_)) => (false, false),
            };
            report = !first && !same;
            if !same {
                *known = Some(now);
            }
            !same
        });
        if report {
            self.changes.send(&Change::Watched(self.object.clone()));
        }
    }
}

fn content(object: Option<&Arc<Object>>) -> Option<&str> {
    object.map(|object| object.json())
}

/// The path of the objects of a core kind; only those are watched by name.
fn path(object: &ObjectRef) -> String {
    let plural = format!("{}s", object.kind.name.to_lowercase());
    match &object.namespace {
        Some(namespace) => format!("/api/{}/namespaces/{namespace}/{plural}", object.kind.version()),
        None => format!("/api/{}/{plural}", object.kind.version()),
    }
}

fn path_of(path: &str, name: &str) -> String {
    format!("{path}/{name}")
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use mizzen_model::Kind;
    use serde_json::{Value, json};

    use super::*;
    use crate::fake::{Reply, event, link, next_change, refusal};

    fn secret(value: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"token": value},
            "metadata": {"name": "a", "namespace": "ns", "resourceVersion": "7"}})
    }

    fn reference() -> ObjectRef {
        ObjectRef::new(Kind::new("v1", "Secret"), Some("ns"), "a")
    }

    #[tokio::test]
    async fn a_secret_is_read_and_watched_by_name_and_its_changes_are_reported() {
        let (lines, watch) = mpsc::unbounded();
        let watch = Mutex::new(Some(watch));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let link = link(move |request| {
            let is_watch = request.is_watch();
            log.lock().push(format!("{}?{}", request.path, request.query));
            if is_watch {
                watch.lock().take().map_or_else(|| refusal(500, "once"), Reply::Lines)
            } else {
                Reply::Json(200, secret("b25l"))
            }
        });
        let changes = Arc::new(Subscribers::default());
        let mut stream = changes.subscribe();
        let watches = ObjectWatches::new(link, changes);
        let handle = watches.watch(&reference());
        assert!(handle.read().await.unwrap().unwrap().json().contains("b25l"));
        lines.unbounded_send(event("MODIFIED", secret("b25l"))).unwrap();
        lines.unbounded_send(event("MODIFIED", secret("dHdv"))).unwrap();
        assert_eq!(next_change(&mut stream).await, "!a");
        assert!(handle.read().await.unwrap().unwrap().json().contains("dHdv"));
        lines.unbounded_send(event("DELETED", secret("dHdv"))).unwrap();
        assert_eq!(next_change(&mut stream).await, "!a");
        assert_eq!(handle.read().await, Ok(None));
        let requests = requests.lock();
        assert_eq!(requests[0], "/api/v1/namespaces/ns/secrets/a?");
        assert!(
            requests[1].starts_with("/api/v1/namespaces/ns/secrets?") && requests[1].contains("metadata.name"),
            "{requests:?}"
        );
    }

    #[tokio::test]
    async fn a_forbidden_secret_is_an_error_and_not_absent() {
        let link = link(|_| refusal(403, "secrets \"a\" is forbidden"));
        let watches = ObjectWatches::new(link, Arc::default());
        let refused = watches.watch(&reference()).read().await;
        assert!(matches!(refused, Err(ReadError::Forbidden { .. })), "{refused:?}");
    }
}
