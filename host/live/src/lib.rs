//! The cluster trait on a real API server. The only crate that knows kube.
//!
//! ```text
//!   watch(view) ─► Mirror ◄── Reflector ── list, watch ──┐
//!   get, list ───► Mirror ◄── answers ◄── Writer ────────┼── Link ── API server
//!   facts ───────► Discovery ── discovery, CRDs ─────────┘
//! ```
//! While the API server is away, reads go on answering with what was last known, and views resume where they were when it is
//! back. A view that the API server refuses (its CRD went, a permission went) is not read any more until it is allowed again.

mod connect;
mod discovery;
mod document;
mod errors;
mod events;
#[cfg(test)]
mod fake;
mod follow;
mod link;
mod mirror;
mod mirrors;
mod pause;
mod plural;
mod reflect;
mod requests;
mod subscribers;
mod write;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use mizzen_cluster::{
    Apply, Changes, Cluster, EventRecord, KindFacts, ObjectWatch, ReadError, Scope, Selection, View, WriteError,
};
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use serde::Deserialize;
use tokio::task::JoinSet;

pub use connect::{ConnectError, LiveOptions};
pub use plural::likely_plural;
pub use requests::RequestCounts;

use crate::discovery::Discovery;
use crate::document::Document;
use crate::events::Events;
use crate::follow::Followers;
use crate::link::{Fault, Link};
use crate::mirrors::Mirrors;
use crate::reflect::Reflector;
use crate::subscribers::Subscribers;
use crate::write::Writer;

/// How long the API server may take to say that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long publishing an Event may take. Nothing waits for Events that matter.
const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// A real cluster. Its background work ends when it is dropped.
pub struct Live {
    link: Link,
    discovery: Arc<Discovery>,
    writer: Writer,
    events: Events,
    changes: Arc<Subscribers>,
    mirrors: Arc<Mirrors>,
    followers: Followers,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    version: String,
}

impl Live {
    /// Connects to the cluster that the options name, and asks it for its version, so that a wrong address shows at once.
    ///
    /// # Errors
    /// No usable configuration, or no answer from the API server, which is named.
    pub async fn connect(options: &LiveOptions) -> Result<Self, ConnectError> {
        let live = Self::over(connect::link(options).await?);
        live.version().await?;
        Ok(live)
    }

    fn over(link: Link) -> Self {
        let changes = Arc::new(Subscribers::default());
        let discovery = Arc::new(Discovery::new(link.clone(), changes.clone()));
        let keeper = discovery.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { keeper.keep().await });
        Self {
            writer: Writer::new(link.clone(), discovery.clone()),
            events: Events::new(link.clone()),
            followers: Followers::new(link.clone(), changes.clone()),
            link,
            discovery,
            changes,
            mirrors: Arc::default(),
            tasks: Mutex::new(tasks),
        }
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        self.link.server()
    }

    /// The API server's version, e.g. `v1.33.1`.
    ///
    /// # Errors
    /// The API server does not answer, or not to these credentials.
    pub async fn version(&self) -> Result<String, ConnectError> {
        match self.link.get::<Version>("/version").await {
            Ok(version) => Ok(version.version),
            Err(fault) => Err(self.no_answer(&fault)),
        }
    }

    /// Whether the API server can serve: what the host's own readiness hangs on.
    ///
    /// # Errors
    /// It does not answer within 5 s, says that it is not ready, or does not accept the credentials.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        match tokio::time::timeout(READY_TIMEOUT, self.link.get_text("/readyz")).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(fault)) => Err(self.no_answer(&fault)),
            Err(_) => Err(self.no_answer(&Fault::Silent(format!("no answer within {} s", READY_TIMEOUT.as_secs())))),
        }
    }

    /// How many requests were sent, for the metrics.
    pub fn request_counts(&self) -> RequestCounts {
        self.link.counts().clone()
    }

    /// Has readers see what the API server answered to a write.
    fn wrote(&self, kind: &Kind, document: Document) -> Result<Arc<Object>, WriteError> {
        let object = document.object(kind, &Fields::Whole).map_err(|error| WriteError::Unavailable {
            object: kind.to_string(),
            message: format!("the API server's answer: {error}"),
        })?;
        let object = Arc::new(object);
        self.mirrors.wrote(&object);
        Ok(object)
    }

    fn no_answer(&self, fault: &Fault) -> ConnectError {
        let server = self.link.server().clone();
        let message = fault.message();
        let message =
            message.strip_prefix(&*server).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(message).to_owned();
        match fault.code() {
            401 => ConnectError::Unauthorized { server, message },
            _ => ConnectError::Unreachable { server, message },
        }
    }
}

#[async_trait]
impl Cluster for Live {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.discovery.facts(kind).await
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        let mirror = self.mirrors.find_or_make(&view.kind, view.scope, &self.changes);
        if let Some(begun) = mirror.want(&view.fields) {
            let (link, discovery, mirrors) = (self.link.clone(), self.discovery.clone(), self.mirrors.clone());
            let reflector = Reflector::new(link, discovery, mirrors, mirror.clone(), begun);
            self.tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(reflector.run());
        }
        mirror.ready(&view.fields).await
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.mirrors.find(scope, &object.kind)?.get(object)
    }

    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.mirrors.find(scope, kind)?.list(selection)
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        self.followers.follow(object)
    }

    fn subscribe(&self) -> Changes {
        self.changes.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let (kind, document) = self.writer.apply(apply).await?;
        self.wrote(&kind, document)
    }

    async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError> {
        self.writer.delete(object, uid).await
    }

    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let changed = self.writer.add_finalizer(object, uid, finalizer).await?;
        self.wrote(&object.kind, changed).map(drop)
    }

    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let changed = self.writer.remove_finalizer(object, uid, finalizer).await?;
        changed.map_or(Ok(()), |document| self.wrote(&object.kind, document).map(drop))
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        let object = format!("an Event about {}", event.regarding);
        let publish = async {
            let _place = self.writer.place().await;
            self.events.publish(event).await
        };
        match tokio::time::timeout(EVENT_TIMEOUT, publish).await {
            Ok(published) => published,
            Err(_) => Err(WriteError::Unavailable { object, message: "no answer in time".to_owned() }),
        }
    }
}
