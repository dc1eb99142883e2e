//! Returns a gigabyte.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("huge-outcome", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let much = "x".repeat(1 << 30);
        Ok(Outcome::ready().status(Value::String(much)))
    }
}

mizzen_sdk::export!(Guest);
