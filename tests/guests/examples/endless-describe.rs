//! Its `describe` never returns.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        let mut at = 0_u64;
        while at < u64::MAX {
            at = std::hint::black_box(at.wrapping_add(1)) & 0xff;
        }
        Description::new("endless-describe", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        Ok(Outcome::ready())
    }
}

mizzen_sdk::export!(Guest);
