//! A cluster in memory whose requests fail and whose watches lag, as those of a real one do.
//!
//! ```text
//!   engine ── write ──► fault? ──► Memory ── changes ──► delay? twice? ──► own stores ──► engine
//! ```

mod views;
mod writes;

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_cluster::memory::Memory;
use mizzen_cluster::{
    Apply, Change, Changes, Cluster, EventRecord, Found, KindFacts, ObjectWatch, ReadError, Scope, Selection, View,
    WriteError,
};
use mizzen_model::{Kind, Object, ObjectRef};
use parking_lot::Mutex;

use self::views::Views;
use self::writes::Write;
use crate::random::Random;

pub use self::writes::WriteFault;

/// Called for each deletion that the engine requests.
pub type OnDelete = Arc<dyn Fn(&ObjectRef) + Send + Sync>;

/// How often something fails, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Writes that fail in some way.
    pub writes: u64,
    /// Lookups that fail.
    pub lookups: u64,
    /// Changes that arrive late.
    pub delays: u64,
    /// Changes that arrive twice.
    pub doubles: u64,
}

/// A cluster with faults, as one process sees it. Cheap to clone.
#[derive(Clone)]
pub struct Faulty(Arc<Inner>);

struct Inner {
    memory: Memory,
    state: Mutex<State>,
    on_delete: Option<OnDelete>,
}

struct State {
    views: Views,
    random: Random,
    rates: Rates,
    /// Faults of the next writes, before any random one.
    next: VecDeque<Option<WriteFault>>,
    /// Whether the process is dead: nothing that it does takes effect any more.
    dead: bool,
}

// === impl Faulty ===

impl Faulty {
    /// A process's view of a cluster. Needs a tokio runtime.
    pub fn over(memory: &Memory, seed: u64, rates: Rates, on_delete: Option<OnDelete>) -> Self {
        let state =
            State { views: Views::default(), random: Random::new(seed), rates, next: VecDeque::new(), dead: false };
        let inner = Arc::new(Inner { memory: memory.clone(), state: Mutex::new(state), on_delete });
        let (weak, mut changes) = (Arc::downgrade(&inner), memory.subscribe());
        tokio::spawn(async move {
            while let Some(change) = changes.recv().await {
                let Some(delay) = weak.upgrade().map(|inner| inner.state.lock().delay()) else { return };
                if let Some(delay) = delay {
                    tokio::time::sleep(delay).await;
                }
                let Some(inner) = weak.upgrade() else { return };
                inner.deliver(&change);
            }
        });
        Self(inner)
    }

    /// Sets how often something fails from now on.
    pub fn set_rates(&self, rates: Rates) {
        self.0.state.lock().rates = rates;
    }

    /// Sets the faults of the next writes; `None`: one that succeeds.
    pub fn next_writes(&self, faults: impl IntoIterator<Item = Option<WriteFault>>) {
        self.0.state.lock().next.extend(faults);
    }

    /// Ends the process.
    pub fn kill(&self) {
        self.0.state.lock().dead = true;
    }

    async fn write(&self, write: Write) -> Result<Option<Arc<Object>>, WriteError> {
        let fault = self.0.state.lock().write_fault();
        let memory = &self.0.memory;
        let written = match fault {
            None => write.perform(memory).await?,
            Some(fault) => return Err(write.fail(fault, memory).await),
        };
        if let Some(object) = &written {
            self.0.state.lock().views.show(object);
        }
        Ok(written)
    }
}

// === impl Inner ===

impl Inner {
    fn deliver(&self, change: &Change) {
        let mut state = self.state.lock();
        let rate = state.rates.doubles;
        let doubled = state.roll(rate);
        match change {
            Change::Object { scope, before, after } => {
                state.views.deliver(*scope, before.as_ref(), after.as_ref(), doubled);
            }
            Change::Served(kind) => {
                state.views.relist(kind, &self.memory);
                state.views.send(change);
            }
            Change::Watched(_) => state.views.send(change),
        }
    }
}

// === impl State ===

impl State {
    fn roll(&mut self, percent: u64) -> bool {
        self.random.chance(percent)
    }

    fn delay(&mut self) -> Option<std::time::Duration> {
        self.roll(self.rates.delays).then(|| self.random.millis(3_000))
    }

    fn lookup_fails(&mut self) -> bool {
        self.roll(self.rates.lookups)
    }

    fn write_fault(&mut self) -> Option<WriteFault> {
        if self.dead {
            return Some(WriteFault::Unavailable);
        }
        if let Some(fault) = self.next.pop_front() {
            return fault;
        }
        let fails = self.roll(self.rates.writes);
        fails.then(|| WriteFault::random(&mut self.random))
    }
}

#[async_trait]
impl Cluster for Faulty {
    async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        self.0.memory.facts(kind).await
    }

    async fn served_as(&self, kind: &Kind) -> Result<Option<Kind>, ReadError> {
        self.0.memory.served_as(kind).await
    }

    async fn watch(&self, view: View) -> Result<(), ReadError> {
        let watched = self.0.memory.watch(view.clone()).await;
        self.0.state.lock().views.watch(view, &self.0.memory);
        watched
    }

    fn get(&self, scope: Scope, object: &ObjectRef) -> Result<Option<Arc<Object>>, ReadError> {
        self.0.memory.get(scope, object)?;
        self.0.state.lock().views.store(scope, &object.kind).map(|store| store.get(object))
    }

    fn list(&self, scope: Scope, kind: &Kind, selection: &Selection<'_>) -> Result<Vec<Arc<Object>>, ReadError> {
        self.0.memory.list(scope, kind, &Selection::within("-"))?;
        self.0.state.lock().views.store(scope, kind).map(|store| store.list(selection))
    }

    async fn lookup(&self, object: &ObjectRef) -> Result<Option<Found>, ReadError> {
        if self.0.state.lock().lookup_fails() {
            return Err(ReadError::Unavailable { kind: object.kind.clone(), message: "a fault".into() });
        }
        self.0.memory.lookup(object).await
    }

    fn watch_object(&self, object: &ObjectRef) -> Arc<dyn ObjectWatch> {
        self.0.memory.watch_object(object)
    }

    fn subscribe(&self) -> Changes {
        self.0.state.lock().views.subscribe()
    }

    async fn apply(&self, apply: Apply<'_>) -> Result<Arc<Object>, WriteError> {
        let object = self.write(Write::of(apply)).await?;
        let message = "an apply without a result".to_owned();
        object.ok_or(WriteError::Unavailable { object: apply.manager.to_owned(), message })
    }

    async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        if let Some(on_delete) = &self.0.on_delete {
            on_delete(object);
        }
        self.write(Write::Delete { object: object.clone(), uid: uid.to_owned(), version }).await.map(drop)
    }

    async fn add_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        self.write(Write::AddFinalizer(object.clone(), uid.to_owned(), finalizer.to_owned())).await.map(drop)
    }

    async fn remove_finalizer(&self, object: &ObjectRef, uid: &str, finalizer: &str) -> Result<(), WriteError> {
        self.write(Write::RemoveFinalizer(object.clone(), uid.to_owned(), finalizer.to_owned())).await.map(drop)
    }

    async fn publish(&self, event: EventRecord) -> Result<(), WriteError> {
        self.0.memory.publish(event).await
    }
}
