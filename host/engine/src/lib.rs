//! Who read what changed, whose turn it is, and what one reconcile does.
//!
//! ```text
//!   changes ─► read index ─► queue ─► order ─► reconcile ─► done ─► successors
//!              who read it?   fair     gate     ask, write, tell        │
//!      ▲                                           │                   │
//!      └────────────── what was written ◄──────────┴───────────────────┘
//! ```
//! The engine knows plugins as [`mizzen_model::Invoke`] and clusters as [`mizzen_cluster::Cluster`]: neither wasmtime nor kube.

mod claims;
mod context;
mod controller;
mod cost;
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
mod write;

use std::sync::Arc;

use mizzen_cluster::Cluster;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use context::Context;
use controller::queue::Queue;
use controller::{Command, Controller};
use observe::Observer;
use pace::Paces;

pub use controller::nodes::{NodeSpec, State};
pub use controller::snapshot::{NodeSnapshot, PlanCounts, Snapshot};
pub use names::{APPLIED_ANNOTATION, PRUNE_ANNOTATION};
pub use pace::PaceSnapshot;
pub use plugin::Plugin;
pub use reads::renderers::RendererSpec;
pub use settings::{Clock, Concurrency, Delays, Settings};
pub use write::status::now;

/// Asks a running engine how everything stands. Cheap to clone.
#[derive(Clone)]
pub struct Snapshots(mpsc::UnboundedSender<Command>);

/// A running engine.
pub struct Engine {
    commands: mpsc::UnboundedSender<Command>,
    stop: CancellationToken,
    run: JoinHandle<()>,
}

// === impl Engine ===

impl Engine {
    /// Starts an engine with no reconcilers. Needs a tokio runtime.
    pub fn start(cluster: Arc<dyn Cluster>, observer: Arc<dyn Observer>, concurrency: Concurrency) -> Self {
        Self::start_with(cluster, observer, Settings { concurrency, ..Settings::default() })
    }

    /// As [`start`](Self::start), with more to choose.
    pub fn start_with(cluster: Arc<dyn Cluster>, observer: Arc<dyn Observer>, settings: Settings) -> Self {
        let Settings { concurrency, clock, delays, fetch } = settings;
        let changes = cluster.subscribe();
        let (commands, commanded) = mpsc::unbounded_channel();
        let (syncs, synced) = mpsc::unbounded_channel();
        let context = Context::new(cluster, observer, fetch, clock, Paces::new(delays));
        let controller = Controller::new(context, Queue::new(concurrency.reconciles, concurrency.of_one), syncs);
        let stop = CancellationToken::new();
        let run = tokio::spawn(controller.run(changes, commanded, synced, stop.clone()));
        Self { commands, stop, run }
    }

    /// Takes in a configuration in place of the one before. Reconcilers that stay as they are keep their memory.
    pub fn configure(&self, nodes: Vec<NodeSpec>) {
        drop(self.commands.send(Command::Configure(nodes)));
    }

    /// Takes in the renderers in place of those before: whoever asked one that answers differently now is asked again. To be called
    /// before [`Engine::configure`], so that no plugin is asked while its renderers are not there.
    pub fn renderers(&self, renderers: Vec<RendererSpec>) {
        drop(self.commands.send(Command::Renderers(renderers)));
    }

    /// Names reconcilers that are configured beside those that run, because their documents are wrong: what they hold is not given up.
    /// To be called before [`Engine::configure`].
    pub fn also_named(&self, reconcilers: impl IntoIterator<Item = String>) {
        drop(self.commands.send(Command::AlsoNamed(reconcilers.into_iter().collect())));
    }

    /// Waits until there is nothing left to do now: what waits for time to pass does not count.
    pub async fn settled(&self) {
        let (reply, settled) = oneshot::channel();
        drop(self.commands.send(Command::Settled(reply)));
        drop(settled.await);
    }

    /// How everything stands, for as long as the engine runs.
    pub fn snapshots(&self) -> Snapshots {
        Snapshots(self.commands.clone())
    }

    /// Stops: starts nothing more, and waits for what is running.
    pub async fn stop(self) {
        self.stop.cancel();
        drop(self.run.await);
    }
}

impl Snapshots {
    /// How everything stands now; `None` when the engine has stopped.
    pub async fn now(&self) -> Option<Snapshot> {
        let (reply, snapshot) = oneshot::channel();
        self.0.send(Command::Snapshot(reply)).ok()?;
        snapshot.await.ok()
    }
}
