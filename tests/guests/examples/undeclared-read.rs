//! Reads a kind that it did not declare, and returns the result.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, cluster};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("undeclared-read", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        match cluster::count(&Query::of(Kind::new("v1", "Pod"))) {
            Ok(count) => Ok(Outcome::warning(format!("read {count} pods"))),
            Err(error) => Ok(Outcome::failed(error.to_string())),
        }
    }
}

mizzen_sdk::export!(Guest);
