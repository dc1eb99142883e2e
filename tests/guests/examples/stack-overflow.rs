//! Recurses without end.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("stack-overflow", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        Ok(Outcome::failed(deeper(1).to_string()))
    }
}

/// Keeps nothing in linear memory, so that the engine's stack overflows, and not the guest's own.
#[inline(never)]
fn deeper(level: u64) -> u64 {
    if level == u64::MAX { 0 } else { deeper(level + 1).rotate_left(3) ^ level }
}

mizzen_sdk::export!(Guest);
