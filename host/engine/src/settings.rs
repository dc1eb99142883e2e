//! How an engine runs.

use std::sync::Arc;

use jiff::Timestamp;
use mizzen_cluster::OwnershipKeys;
use mizzen_model::http::{Fetch, NoNetwork};

/// How many reconciles run at once.
#[derive(Clone, Copy, Debug)]
pub struct Concurrency {
    /// Reconciles at once: bounds the load on the API server.
    pub reconciles: usize,
    /// Reconciles of one reconciler at once: bounds what one slow plugin can take from the others.
    pub of_one: usize,
}

/// Returns the current time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Whether paces and cooldowns delay anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delays {
    /// Paces defer disruptions, and an expensive plugin cools down between two calls.
    #[default]
    Enforced,
    /// For rehearsals on a cluster in memory. No pace defers anything, since nothing that is
    /// patched ever rolls out there. A cooldown ends as soon as nothing else is left to do: it
    /// still saves calls while other keys change what an expensive plugin reads, and an idle
    /// machine waits for no time to pass.
    Skipped,
}

/// Whether an engine reconciles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It reconciles.
    #[default]
    Leader,
    /// It lists and watches everything that its reconcilers need, and reconciles nothing until
    /// [`Engine::lead`](crate::Engine::lead): another host does.
    Follower,
}

/// How an engine runs.
#[derive(Clone)]
pub struct Settings {
    /// How many reconciles run at once.
    pub concurrency: Concurrency,
    /// The clock that paces use.
    pub clock: Clock,
    /// Whether paces and cooldowns delay anything.
    pub delays: Delays,
    /// Sends the HTTP requests of plugins.
    pub fetch: Arc<dyn Fetch>,
    /// Whether it reconciles from the beginning.
    pub role: Role,
    /// The keys by which the engine recognizes what it applied. The default is not secret: it is
    /// for clusters in memory.
    pub ownership: OwnershipKeys,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: Concurrency::default(),
            clock: Arc::new(Timestamp::now),
            delays: Delays::Enforced,
            fetch: Arc::new(NoNetwork),
            role: Role::Leader,
            ownership: OwnershipKeys::rehearsal(),
        }
    }
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { reconciles: 64, of_one: 32 }
    }
}
