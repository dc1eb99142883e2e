//! The read index, the workqueue with its order, and the steps of one reconcile.
//!
//! ```text
//!   changes ─► read index ─► workqueue ─► order ─► reconcile ─► finish ─► successors
//!              its readers                gate     call, write, report     │
//!      ▲                                              │                    │
//!      └───────────────────── writes ◄────────────────┴────────────────────┘
//! ```
//! The engine knows plugins as [`mizzen_model::Invoke`] and clusters as
//! [`mizzen_cluster::Cluster`]: neither wasmtime nor kube.
//!
//! An engine with one reconciler, which wants a ConfigMap beside each Service, on a cluster in memory:
//!
//! ```
//! use std::sync::Arc;
//!
//! use mizzen_cluster::memory::Memory;
//! use mizzen_config::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
//! use mizzen_engine::{Concurrency, Engine, NodeSpec, observe::Log};
//! use mizzen_model::{
//!     Access, Call, CallError, Description, Digest, Failure, Invoke, Kind, Need, ObjectRef, Outcome, Readiness, Reads,
//!     Request, Wanted,
//! };
//! use serde_json::{Value, json};
//!
//! struct Notes(Description);
//!
//! #[async_trait::async_trait]
//! impl Invoke for Notes {
//!     fn description(&self) -> &Description {
//!         &self.0
//!     }
//!     fn digest(&self) -> Digest {
//!         Digest::of_parts([b"notes".as_slice()])
//!     }
//!     async fn invoke(
//!         &self,
//!         _: Call,
//!         request: &Request,
//!         _: Arc<dyn Reads>,
//!     ) -> Result<Result<Outcome, Failure>, CallError> {
//!         let service: Value = serde_json::from_str(&request.subject).unwrap_or_default();
//!         let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
//!             "metadata": {"name": service["metadata"]["name"], "namespace": service["metadata"]["namespace"]}});
//!         let outcome = Outcome::new(Readiness::Ready);
//!         Ok(Ok(Outcome { desired: Some(Wanted::All(vec![map])), ..outcome }))
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let map = Kind::new("v1", "ConfigMap");
//! let plugin = Notes(Description {
//!     name: "notes".into(),
//!     version: "1".into(),
//!     summary: "A ConfigMap beside each Service".into(),
//!     subject: Kind::new("v1", "Service"),
//!     config_schema: json!({}),
//!     needs: vec![Need { kind: map.clone(), access: Access::Apply, why: "the notes".into() }],
//!     field_sets: Default::default(),
//!     credentials: Vec::new(),
//!     http: Vec::new(),
//!     renderers: Vec::new(),
//!     finalizes: false,
//! });
//! let reconciler = Reconciler {
//!     name: "notes".into(),
//!     origin: Origin::Cluster,
//!     generation: 1,
//!     component: Component::File("notes.wasm".into()),
//!     subject: Subject::every(Kind::new("v1", "Service")),
//!     after: Vec::new(),
//!     after_any: Vec::new(),
//!     config: json!({}),
//!     grants: Grants {
//!         apply: vec![Grant::everywhere(map.clone())],
//!         ..Grants::default()
//!     },
//!     limits: Limits::default(),
//!     pace: Default::default(),
//!     mode: Mode::Enforce,
//! };
//!
//! let service = "{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}}";
//! let cluster = Memory::from_yaml(service).map_err(|errors| errors[0].to_string())?;
//! let engine = Engine::start(Arc::new(cluster.clone()), Arc::new(Log), Concurrency::default());
//! engine.configure(vec![NodeSpec { reconciler: Arc::new(reconciler), invoke: Ok(Arc::new(plugin)) }]);
//! engine.settled().await;
//! assert!(cluster.find(&ObjectRef::new(map, Some("shop"), "cart")).is_some());
//! engine.stop().await;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod backoff;
mod claims;
mod context;
mod controller;
mod cost;
mod identity;
mod memo;
mod names;
pub mod observe;
mod pace;
mod plugin;
mod prepare;
mod problem;
mod reads;
mod reconcile;
mod settings;
mod unconfirmed;
mod write;

use std::sync::Arc;

use mizzen_cluster::Cluster;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use context::Context;
use controller::{Command, Controller, Inputs};
use observe::Observer;

pub use controller::{NodeSnapshot, NodeSpec, PlanCounts, Snapshot, State};
pub use names::{ADOPT_ANNOTATION, ADOPTED_ANNOTATION, PRUNE_ANNOTATION};
pub use pace::PaceSnapshot;
pub use plugin::Plugin;
pub use reads::renderers::RendererSpec;
pub use settings::{Clock, Concurrency, Delays, Role, Settings};
pub use write::status::now;

/// Takes snapshots of a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Snapshots(mpsc::UnboundedSender<Command>);

/// A running engine.
pub struct Engine {
    commands: mpsc::UnboundedSender<Command>,
    shutdown: CancellationToken,
    run: JoinHandle<()>,
}

// === impl Engine ===

impl Engine {
    /// Starts an engine without reconcilers. Needs a tokio runtime.
    pub fn start(cluster: Arc<dyn Cluster>, observer: Arc<dyn Observer>, concurrency: Concurrency) -> Self {
        Self::start_with(cluster, observer, Settings { concurrency, ..Settings::default() })
    }

    /// As [`start`](Self::start), with all settings.
    pub fn start_with(cluster: Arc<dyn Cluster>, observer: Arc<dyn Observer>, settings: Settings) -> Self {
        let Settings { concurrency, clock, delays, fetch, role, ownership } = settings;
        let changes = cluster.subscribe();
        let (commands, commanded) = mpsc::unbounded_channel();
        let (syncs, synced) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let inputs = Inputs { changes, commands: commanded, synced, shutdown: shutdown.clone() };
        let context = Context::new(cluster, observer, fetch, clock, delays, ownership);
        let run = tokio::spawn(Controller::new(context, concurrency, delays, role, syncs).run(inputs));
        Self { commands, shutdown, run }
    }

    /// Replaces the reconcilers. Those that remain as they are keep their memory.
    pub fn configure(&self, nodes: Vec<NodeSpec>) {
        drop(self.commands.send(Command::Configure(nodes)));
    }

    /// Replaces the renderers: keys whose last call used one that has changed are called again.
    /// Call it before [`Engine::configure`], so that no plugin is called before its renderers are
    /// known.
    pub fn set_renderers(&self, renderers: Vec<RendererSpec>) {
        drop(self.commands.send(Command::SetRenderers(renderers)));
    }

    /// Names reconcilers that are configured but can't run, since their documents are invalid:
    /// their finalizers are not orphaned. Call it before [`Engine::configure`].
    pub fn set_invalid(&self, reconcilers: impl IntoIterator<Item = String>) {
        drop(self.commands.send(Command::SetInvalid(reconcilers.into_iter().collect())));
    }

    /// Makes a follower the leader: it reconciles what is enqueued, and from now on.
    pub fn lead(&self) {
        drop(self.commands.send(Command::Lead));
    }

    /// Waits until the engine has nothing left to do now. Cooldowns are work that is left; retries,
    /// requeues after a time and paces only wait for time to pass, and don't count.
    pub async fn settled(&self) {
        let (reply, settled) = oneshot::channel();
        drop(self.commands.send(Command::Settle(reply)));
        drop(settled.await);
    }

    /// A handle to take snapshots with, for as long as the engine runs.
    pub fn snapshots(&self) -> Snapshots {
        Snapshots(self.commands.clone())
    }

    /// Shuts down: starts nothing more, and waits for the running reconciles.
    pub async fn stop(self) {
        self.shutdown.cancel();
        drop(self.run.await);
    }
}

impl Snapshots {
    /// The current state; `None` if the engine has stopped.
    pub async fn now(&self) -> Option<Snapshot> {
        let (reply, snapshot) = oneshot::channel();
        self.0.send(Command::Snapshot(reply)).ok()?;
        snapshot.await.ok()
    }
}
