//! A run of a plan, and its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::ReadError;
use mizzen_cluster::memory::Memory;
use mizzen_engine::observe::Log;
use mizzen_engine::{Clock, Engine, Settings};
use mizzen_model::ObjectRef;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::cluster::{Faulty, OnDelete, Rates};
use crate::judge::{self, Violation};
use crate::plan::{Action, Plan};
use crate::random::Random;
use crate::world::{self, Wants, a_shop, config_map, nodes, shop, shop_ref};

/// After the last fault: longer than any retry, cooldown and grace period.
const RECOVERY: Duration = Duration::from_mins(20);

/// Then nothing may be written for so long.
const QUIET: Duration = Duration::from_mins(30);

/// A cluster, the host on it, and what users want.
pub struct Stage {
    memory: Memory,
    cluster: Faulty,
    engine: Engine,
    rates: Rates,
    version: u64,
    random: Random,
    wants: Wants,
    jump: Arc<Mutex<i64>>,
    shops: BTreeMap<&'static str, Value>,
    pruned: Arc<Mutex<Vec<String>>>,
}

/// Runs a plan on a clock that jumps ahead when nothing is left to do.
///
/// # Errors
/// What did not hold.
pub fn run(plan: &Plan) -> Result<(), Violation> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut stage = Stage::new(plan.seed);
        for step in &plan.steps {
            stage.act(&step.action);
            tokio::time::sleep(step.then).await;
        }
        stage.end().await
    })
}

// === impl Stage ===

impl Stage {
    /// A host that starts. Needs a tokio runtime whose clock is paused.
    pub fn new(seed: u64) -> Self {
        let (memory, wants, jump) = (world::memory(), Wants::default(), Arc::default());
        let (mut random, pruned) = (Random::new(seed ^ 0x5EED), Arc::default());
        let cluster =
            Faulty::over(&memory, random.number(), Rates::default(), Some(on_delete(&memory, &wants, &pruned)));
        let engine = start(&cluster, 1, &wants, &jump);
        let (rates, shops) = (Rates::default(), BTreeMap::new());
        Self { memory, cluster, engine, rates, version: 1, random, wants, jump, shops, pruned }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Put(name, spec) => {
                let live = self.memory.find(&shop_ref(name));
                if live.is_none_or(|live| live["metadata"]["deletionTimestamp"].is_null()) {
                    self.put_shop(name, spec);
                    self.shops.insert(name, spec.clone());
                }
            }
            Action::Delete(name) => {
                // One that is invalid can't be called to finalize, and stays until it is mended.
                let mend = |document: &mut Value| document["spec"]["invalid"] = json!(false);
                let _ = self.memory.edit("user", &shop_ref(name), mend);
                self.memory.remove(&shop_ref(name));
                self.shops.remove(name);
            }
            Action::Edit(object) => {
                let edit = |document: &mut Value| document["data"]["value"] = json!("edited");
                // It may not exist.
                let _ = self.memory.edit("user", object, edit);
            }
            Action::Remove(object) => self.memory.remove(object),
            Action::Swap(version) => {
                self.version = *version;
                self.engine.configure(nodes(self.version, &self.wants));
            }
            Action::Restart => self.restart(),
            Action::Break(kind, served) => {
                let unavailable = ReadError::Unavailable { kind: kind.clone(), message: "a fault".into() };
                let error = if *served { unavailable } else { ReadError::NotServed(kind.clone()) };
                self.memory.fail_reads(kind, Some(error));
            }
            Action::Mend(kind) => self.memory.fail_reads(kind, None),
            Action::Faults(rates) => {
                self.rates = *rates;
                self.cluster.set_rates(*rates);
            }
            Action::Jump(seconds) => *self.jump.lock() += seconds,
            Action::Nothing => {}
        }
    }

    /// The cluster.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The cluster as the host sees it.
    pub fn cluster(&self) -> &Faulty {
        &self.cluster
    }

    /// Waits until the engine has nothing left to do now.
    pub async fn settle(&self) {
        self.engine.settled().await;
    }

    /// Waits for a time, then until the engine has nothing left to do.
    pub async fn after(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.settle().await;
    }

    /// A user creates or changes a shop.
    pub fn put_shop(&self, name: &str, spec: &Value) {
        let edit = |document: &mut Value| document["spec"] = spec.clone();
        if self.memory.edit("user", &shop_ref(name), edit).is_err() {
            self.memory.put("user", &a_shop(name, spec)).unwrap();
        }
    }

    /// The host dies in the middle of what it does, and another one starts.
    fn restart(&mut self) {
        self.cluster.kill();
        let on_delete = Some(on_delete(&self.memory, &self.wants, &self.pruned));
        self.cluster = Faulty::over(&self.memory, self.random.number(), self.rates, on_delete);
        let engine = start(&self.cluster, self.version, &self.wants, &self.jump);
        let dead = std::mem::replace(&mut self.engine, engine);
        tokio::spawn(dead.stop());
    }

    /// Ends the faults, and judges.
    async fn end(mut self) -> Result<(), Violation> {
        self.act(&Action::Faults(Rates::default()));
        for kind in [shop(), config_map()] {
            self.act(&Action::Mend(kind));
        }
        for (name, spec) in self.shops.clone() {
            // What is there of an invalid one depends on what was there before.
            let mut valid = spec;
            valid["invalid"] = json!(false);
            self.act(&Action::Put(name, valid));
        }
        tokio::time::sleep(RECOVERY).await;
        judge::grants(&self.memory.take_writes())?;
        judge::pruned(&self.pruned.lock())?;
        judge::same(&self.memory, &undisturbed(&self.shops, self.version).await)?;
        let requests = self.memory.requests();
        tokio::time::sleep(QUIET).await;
        judge::quiet(&self.memory.take_writes(), self.memory.requests() - requests)?;
        let names: Vec<_> = self.shops.keys().copied().collect();
        for name in names {
            self.act(&Action::Delete(name));
        }
        tokio::time::sleep(RECOVERY).await;
        judge::gone(&self.memory)
    }
}

fn start(cluster: &Faulty, version: u64, wants: &Wants, jump: &Arc<Mutex<i64>>) -> Engine {
    let begun = tokio::time::Instant::now();
    let (start, jump) = (jiff::Timestamp::constant(1_800_000_000, 0), Arc::clone(jump));
    let clock: Clock = Arc::new(move || start + begun.elapsed() + jiff::SignedDuration::from_secs(*jump.lock()));
    let settings = Settings { clock, ..Settings::default() };
    let engine = Engine::start_with(Arc::new(cluster.clone()), Arc::new(Log), settings);
    engine.configure(nodes(version, wants));
    engine
}

/// Records the deletions of objects that the last complete outcome wants.
fn on_delete(memory: &Memory, wants: &Wants, pruned: &Arc<Mutex<Vec<String>>>) -> OnDelete {
    let (memory, wants, pruned) = (memory.clone(), Arc::clone(wants), Arc::clone(pruned));
    Arc::new(move |object: &ObjectRef| {
        for ((reconciler, shop), wanted) in &*wants.lock() {
            let subject = memory.find(&shop_ref(shop));
            let is_there = subject.is_some_and(|subject| subject["metadata"]["deletionTimestamp"].is_null());
            if is_there && wanted.contains(object) {
                pruned.lock().push(format!("{object}, which `{reconciler}` wants for {shop}"));
            }
        }
    })
}

/// The end of a run in which users want the same, and nothing fails.
async fn undisturbed(shops: &BTreeMap<&'static str, Value>, version: u64) -> Memory {
    let (memory, wants) = (world::memory(), Wants::default());
    for (name, spec) in shops {
        memory.put("user", &a_shop(name, spec)).unwrap();
    }
    let cluster = Faulty::over(&memory, 0, Rates::default(), None);
    let engine = start(&cluster, version, &wants, &Arc::default());
    tokio::time::sleep(RECOVERY).await;
    engine.stop().await;
    memory
}
