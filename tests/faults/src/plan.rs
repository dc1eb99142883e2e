//! A plan: what users and faults do, step by step.

use std::time::Duration;

use mizzen_model::{Kind, ObjectRef};
use serde_json::{Value, json};

use crate::cluster::Rates;
use crate::random::Random;
use crate::world::{FAR, HERE, config_map, map_ref, shop};

const SHOPS: [&str; 3] = ["x", "y", "z"];
const NAMES: [&str; 3] = ["one", "two", "three"];

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub steps: Vec<Step>,
}

/// One thing that happens, and the time until the next.
#[derive(Clone, Debug)]
pub struct Step {
    pub action: Action,
    pub then: Duration,
}

#[derive(Clone, Debug)]
pub enum Action {
    /// A user creates or changes a shop.
    Put(&'static str, Value),
    /// A user deletes a shop.
    Delete(&'static str),
    /// A user edits an applied object.
    Edit(ObjectRef),
    /// A user deletes an applied object.
    Remove(ObjectRef),
    /// The plugin `shelf` is replaced by another version.
    Swap(u64),
    /// The host is killed, and starts again.
    Restart,
    /// Reads of a kind fail, as not served or as unavailable.
    Break(Kind, bool),
    /// Reads of a kind work again.
    Mend(Kind),
    /// Requests fail and changes lag this often from now on.
    Faults(Rates),
    /// The clock jumps by so many seconds.
    Jump(i64),
    Nothing,
}

// === impl Plan ===

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let length = 6 + random.below(24);
        let steps = (0..length).map(|_| Step { action: action(&mut random), then: random.millis(4_000) }).collect();
        Self { seed, steps }
    }
}

fn action(random: &mut Random) -> Action {
    let kind = |random: &mut Random| if random.chance(70) { config_map() } else { shop() };
    match random.below(100) {
        0..35 => Action::Put(one(random, &SHOPS), spec(random)),
        35..45 => Action::Delete(one(random, &SHOPS)),
        45..52 => Action::Edit(applied(random)),
        52..59 => Action::Remove(applied(random)),
        59..64 => Action::Swap(1 + random.below(3)),
        64..70 => Action::Restart,
        70..75 => Action::Break(kind(random), random.chance(50)),
        75..80 => Action::Mend(kind(random)),
        80..92 => Action::Faults(rates(random)),
        92..95 => Action::Jump(i64::try_from(random.below(7_200)).unwrap_or_default() - 3_600),
        _ => Action::Nothing,
    }
}

fn rates(random: &mut Random) -> Rates {
    let rate = |random: &mut Random| if random.chance(60) { random.below(50) } else { 0 };
    Rates { writes: rate(random), lookups: rate(random), delays: rate(random), doubles: rate(random) }
}

fn spec(random: &mut Random) -> Value {
    let mut spec = json!({"maps": {}, "far": {}});
    for name in NAMES {
        for field in ["maps", "far"] {
            if random.chance(40) {
                spec[field][name] = json!(random.below(3).to_string());
            }
        }
    }
    if random.chance(8) {
        spec["invalid"] = json!(true);
    }
    spec
}

fn applied(random: &mut Random) -> ObjectRef {
    let namespace = if random.chance(50) { HERE } else { FAR };
    map_ref(namespace, &format!("{}-{}", one(random, &SHOPS), one(random, &NAMES)))
}

fn one(random: &mut Random, of: &[&'static str]) -> &'static str {
    let index = usize::try_from(random.below(of.len() as u64)).unwrap_or_default();
    of[index]
}
