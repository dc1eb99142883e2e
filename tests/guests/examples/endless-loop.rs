//! Computes for ever.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("endless-loop", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut at = 0_u64;
        loop {
            at = std::hint::black_box(at.wrapping_add(1));
            if at == u64::MAX {
                return Ok(Outcome::ready());
            }
        }
    }
}

mizzen_sdk::export!(Guest);
