//! Single objects, followed by their names: a Secret needs no list of all Secrets, neither in memory nor among the host's rights.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use kube::api::{WatchEvent, WatchParams};
use mizzen_cluster::{Change, ObjectWatch, ReadError};
use mizzen_model::{Fields, Object, ObjectRef};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::document::Document;
use crate::errors::read_error;
use crate::link::{Fault, Link};
use crate::pause::Pause;
use crate::subscribers::Subscribers;

/// For how many seconds the API server keeps a watch open; then the object is read anew.
const WATCH_SECONDS: u32 = 240;

/// After how long without a word a watch counts as dead.
const WATCH_IDLE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);

/// How long a watch lives that is no sign of trouble.
const HEALTHY: Duration = Duration::from_secs(5);

/// What is known of an object; `None`: it has not been read yet.
type Known = Option<Result<Option<Arc<Object>>, ReadError>>;

/// All objects that are followed.
pub(crate) struct Followers {
    link: Link,
    changes: Arc<Subscribers>,
    all: Mutex<HashMap<ObjectRef, Weak<Follower>>>,
}

/// One of them.
struct Follower {
    object: ObjectRef,
    known: watch::Receiver<Known>,
    task: AbortHandle,
}

/// What keeps one of them.
struct Keeper {
    link: Link,
    changes: Arc<Subscribers>,
    object: ObjectRef,
    known: watch::Sender<Known>,
}

// === impl Followers ===

impl Followers {
    pub(crate) fn new(link: Link, changes: Arc<Subscribers>) -> Self {
        Self { link, changes, all: Mutex::default() }
    }

    pub(crate) fn follow(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(follower) = all.get(object).and_then(Weak::upgrade) {
            return follower;
        }
        all.retain(|_, follower| follower.strong_count() > 0);
        let (sender, known) = watch::channel(None);
        let keeper = Keeper {
            link: self.link.clone(),
            changes: Arc::clone(&self.changes),
            object: object.clone(),
            known: sender,
        };
        let task = tokio::spawn(keeper.run()).abort_handle();
        let follower = Arc::new(Follower { object: object.clone(), known, task });
        all.insert(object.clone(), Arc::downgrade(&follower));
        follower
    }
}

// === impl Follower ===

#[async_trait]
impl ObjectWatch for Follower {
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

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Keeper ===

impl Keeper {
    async fn run(self) {
        let mut pause = Pause::short();
        loop {
            let begun = Instant::now();
            if let Err(error) = self.keep().await {
                self.learn(Err(error));
            }
            if begun.elapsed() >= HEALTHY {
                pause.reset();
            } else {
                tokio::time::sleep(pause.next()).await;
            }
        }
    }

    /// Reads the object, and watches it until that ends.
    async fn keep(&self) -> Result<(), ReadError> {
        let kind = &self.object.kind;
        let (path, mut version) = (path(&self.object), String::new());
        match self.link.get::<Document>(&path_of(&path, &self.object.name)).await {
            Ok(document) => {
                version.push_str(document.value()["metadata"]["resourceVersion"].as_str().unwrap_or_default());
                self.learn(Ok(self.object_of(document)));
            }
            Err(Fault::Refused(status)) if status.code == 404 => self.learn(Ok(None)),
            Err(fault) => return Err(read_error(kind, &fault)),
        }
        let params = WatchParams {
            field_selector: Some(format!("metadata.name={}", self.object.name)),
            timeout: Some(WATCH_SECONDS),
            ..WatchParams::default()
        };
        // Of an object that is not there, the watch begins with it, should it have come meanwhile.
        let mut events = self.link.watch(&path, &params, &version).await.map_err(|fault| read_error(kind, &fault))?;
        while let Some(event) = tokio::time::timeout(WATCH_IDLE, events.next()).await.unwrap_or_default() {
            match event.map_err(|fault| read_error(kind, &fault))? {
                WatchEvent::Added(document) | WatchEvent::Modified(document) => {
                    self.learn(Ok(self.object_of(document)));
                }
                WatchEvent::Deleted(_) => self.learn(Ok(None)),
                WatchEvent::Bookmark(_) => {}
                // Most often: the revision is too old. It is read anew.
                WatchEvent::Error(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn object_of(&self, document: Document) -> Option<Arc<Object>> {
        document.object(&self.object.kind, &Fields::Whole).ok().map(Arc::new)
    }

    /// Takes in what is known now, and tells of it if it was something else before. Trouble does not hide what was known.
    fn learn(&self, now: Result<Option<Arc<Object>>, ReadError>) {
        let mut news = false;
        self.known.send_if_modified(|known| {
            let (first, same) = match (&*known, &now) {
                (None, _) => (true, false),
                (Some(Ok(_)), Err(_)) => (false, true),
                (Some(Ok(before)), Ok(after)) => (false, content(before.as_ref()) == content(after.as_ref())),
                (Some(Err(before)), Err(after)) => (false, before == after),
                (Some(Err(_)), Ok(_)) => (false, false),
            };
            news = !first && !same;
            if !same {
                *known = Some(now);
            }
            !same
        });
        if news {
            self.changes.send(&Change::Watched(self.object.clone()));
        }
    }
}

fn content(object: Option<&Arc<Object>>) -> Option<&str> {
    object.map(|object| object.json())
}

/// Where objects of a core kind are; only those are followed.
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
    use crate::fake::{Answer, event, link, refusal, told};

    fn secret(value: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"token": value},
            "metadata": {"name": "a", "namespace": "ns", "resourceVersion": "7"}})
    }

    fn reference() -> ObjectRef {
        ObjectRef::new(Kind::new("v1", "Secret"), Some("ns"), "a")
    }

    #[tokio::test]
    async fn one_secret_is_read_and_watched_by_its_name_and_a_change_is_told() {
        let (lines, watch) = mpsc::unbounded();
        let watch = Mutex::new(Some(watch));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let link = link(move |request| {
            let is_watch = request.is_watch();
            log.lock().unwrap().push(format!("{}?{}", request.path, request.query));
            if is_watch {
                watch.lock().unwrap().take().map_or_else(|| refusal(500, "once"), Answer::Lines)
            } else {
                Answer::Json(200, secret("b25l"))
            }
        });
        let changes = Arc::new(Subscribers::default());
        let mut told_of = changes.subscribe();
        let followers = Followers::new(link, changes);
        let follower = followers.follow(&reference());
        assert!(follower.read().await.unwrap().unwrap().json().contains("b25l"));
        lines.unbounded_send(event("MODIFIED", secret("b25l"))).unwrap();
        lines.unbounded_send(event("MODIFIED", secret("dHdv"))).unwrap();
        assert_eq!(told(&mut told_of).await, "!a");
        assert!(follower.read().await.unwrap().unwrap().json().contains("dHdv"));
        lines.unbounded_send(event("DELETED", secret("dHdv"))).unwrap();
        assert_eq!(told(&mut told_of).await, "!a");
        assert_eq!(follower.read().await, Ok(None));
        let asked = asked.lock().unwrap();
        assert_eq!(asked[0], "/api/v1/namespaces/ns/secrets/a?");
        assert!(
            asked[1].starts_with("/api/v1/namespaces/ns/secrets?") && asked[1].contains("metadata.name"),
            "{asked:?}"
        );
    }

    #[tokio::test]
    async fn a_secret_that_may_not_be_read_is_an_error_and_not_absent() {
        let link = link(|_| refusal(403, "secrets \"a\" is forbidden"));
        let followers = Followers::new(link, Arc::default());
        let refused = followers.follow(&reference()).read().await;
        assert!(matches!(refused, Err(ReadError::Forbidden { .. })), "{refused:?}");
    }
}
