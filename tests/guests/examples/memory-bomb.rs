//! Allocates without end, and touches what it allocates.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("memory-bomb", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            all.push(vec![1; 1 << 20]);
            if std::hint::black_box(&all).len() == usize::MAX {
                return Ok(Outcome::ready());
            }
        }
    }
}

mizzen_sdk::export!(Guest);
