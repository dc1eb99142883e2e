//! The cluster trait on a real API server. The only crate that knows kube.
//!
//! ```text
//!   watch(view) ─► Mirror ◄── Reflector ── list, watch ──┐
//!   get, list ───► Mirror ◄── responses ◄ Writer ────────┼── Link ── API server
//!   facts ───────► Discovery ── discovery, CRDs ─────────┘
//! ```
//! While the API server is unavailable, reads return the last known objects, and watches resume
//! when it returns. A view that the API server refuses (its CRD was deleted, a permission was
//! revoked) can't be read until it is allowed again.
//!
//! ```no_run
//! use mizzen_cluster::{Cluster, Scope, Selection, View};
//! use mizzen_live::{Live, LiveOptions};
//! use mizzen_model::{Fields, Kind};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let live = Live::connect(&LiveOptions::default()).await?;
//! let kind = Kind::new("v1", "Namespace");
//! live.watch(View { kind: kind.clone(), scope: Scope::All, fields: Fields::identity() }).await?;
//! for namespace in live.list(Scope::All, &kind, &Selection::default())? {
//!     println!("{}", namespace.reference.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without a cluster, connecting fails with an error that names the address and the way out:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use mizzen_live::{ConnectError, Live, LiveOptions};
//!
//! let kubeconfig = Some("/no/such/kubeconfig".into());
//! let error = Live::connect(&LiveOptions { kubeconfig, context: None }).await.err();
//! assert!(matches!(error, Some(ConnectError::Kubeconfig(_))));
//! # Ok(())
//! # }
//! ```

mod backoff;
mod connect;
mod discovery;
mod document;
mod errors;
mod events;
#[cfg(test)]
mod fake;
mod fence;
mod lease;
mod link;
mod lookup;
mod mirror;
mod mirrors;
mod objects;
mod origin;
mod ownership;
mod plural;
mod reflect;
mod requests;
mod subscribers;
mod write;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mizzen_cluster::{
    Apply, Changes, Cluster, EventRecord, Found, KindFacts, ObjectWatch, OwnershipKeys, ReadError, Scope, Selection,
    View, WriteError,
};
use mizzen_model::{Fields, Kind, Object, ObjectRef};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::task::JoinSet;

pub use connect::{ConnectError, LiveOptions};
pub use lease::{Leadership, LeaseOptions, Standing};
pub use ownership::{OwnershipSecret, OwnershipSecretError};
pub use plural::likely_plural;
pub use requests::{RequestCounts, RequestKey};

use crate::discovery::{Discovery, resources};
use crate::document::Document;
use crate::events::Events;
use crate::link::{Fault, Link, Timeout};
use crate::mirrors::Mirrors;
use crate::objects::ObjectWatches;
use crate::reflect::Reflector;
use crate::subscribers::Subscribers;
use crate::write::Writer;

/// How long the API server may take to report that it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long publishing an Event may take. Losing one is better than delaying reconciles.
const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// A cluster behind an API server. Its background tasks end when it is dropped.
pub struct Live {
    link: Link,
    discovery: Arc<Discovery>,
    writer: Writer,
    events: Events,
    changes: Arc<Subscribers>,
    mirrors: Arc<Mirrors>,
    objects: ObjectWatches,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    version: String,
}

// === impl Live ===

impl Live {
    /// Connects to the cluster that the options name, and requests its version, so that a wrong
    /// address fails at once.
    ///
    /// # Errors
    /// The configuration is missing or invalid, or the API server does not respond or refuses the
    /// credentials.
    pub async fn connect(options: &LiveOptions) -> Result<Self, ConnectError> {
        let live = Self::over(connect::link(options).await?);
        live.version().await?;
        Ok(live)
    }

    fn over(link: Link) -> Self {
        let changes = Arc::new(Subscribers::default());
        let discovery = Arc::new(Discovery::new(link.clone(), changes.clone()));
        let running = discovery.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { running.run().await });
        Self {
            writer: Writer::new(link.clone(), discovery.clone()),
            events: Events::new(link.clone()),
            objects: ObjectWatches::new(link.clone(), changes.clone()),
            link,
            discovery,
            changes,
            mirrors: Arc::default(),
            tasks: Mutex::new(tasks),
        }
    }

    /// Reads the keys by which the host recognizes what it applied, and from then on keeps of an
    /// object that only carries the host's labels no more than its identity. Call it before any
    /// view of owned objects starts. The Secret is created if it does not exist.
    ///
    /// # Errors
    /// The Secret can't be read or created, or has no keys.
    pub async fn recognize_by_secret(&self, secret: OwnershipSecret) -> Result<OwnershipKeys, OwnershipSecretError> {
        let keys = ownership::keys(&self.link, secret).await?;
        self.recognize_by(keys.clone());
        Ok(keys)
    }

    /// Reads these keys without creating the Secret; `None`: it does not exist, so no host has applied anything by it.
    ///
    /// # Errors
    /// The Secret can't be read, or has no keys.
    pub async fn ownership_keys(&self, secret: OwnershipSecret) -> Result<Option<OwnershipKeys>, OwnershipSecretError> {
        ownership::existing_keys(&self.link, secret).await
    }

    /// As [`recognize_by_secret`](Self::recognize_by_secret), with keys from elsewhere.
    pub fn recognize_by(&self, keys: OwnershipKeys) {
        self.mirrors.recognize_by(keys);
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        self.link.server()
    }

    /// The API server's version, e.g. `v1.33.1`.
    ///
    /// # Errors
    /// The API server does not respond, or refuses the credentials.
    pub async fn version(&self) -> Result<String, ConnectError> {
        match self.link.get::<Version>("/version").await {
            Ok(version) => Ok(version.version),
            Err(fault) => Err(self.failed(fault)),
        }
    }

    /// Checks whether the API server is ready.
    ///
    /// # Errors
    /// It does not respond within 5 s, is not ready, or refuses the credentials.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        match tokio::time::timeout(READY_TIMEOUT, self.link.get_text("/readyz")).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(fault)) => Err(self.failed(fault)),
            Err(_) => Err(self.failed(self.link.no_response(Timeout(READY_TIMEOUT)))),
        }
    }

    /// Shares the work with other hosts by a Lease: from now on this host writes only while it
    /// holds the Lease.
    pub fn elect(&self, options: LeaseOptions) -> Leadership {
        Leadership::start(&self.link, options)
    }

    /// The counts of requests, for the metrics.
    pub fn request_counts(&self) -> RequestCounts {
        self.link.counts().clone()
    }

    /// Shows the response to a write to readers.
    fn written(&self, kind: &Kind, document: Document) -> Result<Arc<Object>, WriteError> {
        let object = document.object(kind, &Fields::Whole).map_err(|error| WriteError::Unavailable {
            object: kind.to_string(),
            message: format!("invalid response: {error}"),
        })?;
        let object = Arc::new(object);
        self.mirrors.written(&object);
        Ok(object)
    }

    fn failed(&self, fault: Fault) -> ConnectError {
        match fault {
            Fault::NoResponse { server, source } => ConnectError::Unreachable { server, source },
            Fault::Refused(status) => {
                let (server, message) = (self.link.server().clone(), status.message);
                match status.code {
                    401 => ConnectError::Unauthorized { server, message },
                    _ => ConnectError::Unready { server, message },
                }
            }
        }
    }
}

#[async_trait]
impl Cluster for Live {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.discovery.facts(kind).await
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        resources::version_of(&self.link, kind).await
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        let mirror = self.mirrors.find_or_make(&view.kind, view.scope, &self.changes);
        if let Some(start) = mirror.want(&view.fields) {
            let (link, discovery, mirrors) = (self.link.clone(), self.discovery.clone(), self.mirrors.clone());
            let reflector = Reflector::new(link, discovery, mirrors, mirror.clone(), start);
            self.tasks.lock().spawn(reflector.run());
        }
        mirror.ready(&view.fields).await
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.mirrors.find(scope, &object.kind)?.get(object)
    }

    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.mirrors.find(scope, kind)?.list(selection)
    }

    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        lookup::lookup(&self.link, &self.discovery, object).await
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        self.objects.watch(object)
    }

    fn subscribe(&self) -> Changes {
        self.changes.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let (kind, document) = self.writer.apply(apply).await?;
        self.written(&kind, document)
    }

    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        self.writer.delete(object, uid, version).await
    }

    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let changed = self.writer.add_finalizer(object, uid, finalizer).await?;
        self.written(&object.kind, changed).map(drop)
    }

    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        let changed = self.writer.remove_finalizer(object, uid, finalizer).await?;
        changed.map_or(Ok(()), |document| self.written(&object.kind, document).map(drop))
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        let object = format!("an Event about {}", event.regarding);
        let publish = async {
            let _permit = self.writer.permit().await;
            self.events.publish(event).await
        };
        match tokio::time::timeout(EVENT_TIMEOUT, publish).await {
            Ok(published) => published,
            Err(_) => Err(WriteError::Unavailable { object, message: Timeout(EVENT_TIMEOUT).to_string() }),
        }
    }
}
