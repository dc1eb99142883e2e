//! Makes the same host call for ever.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, cluster};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("endless-host-calls", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut served = 0_u64;
        while served < u64::MAX {
            served += u64::from(cluster::serves(&Kind::new("v1", "ConfigMap"))) & 1;
        }
        Ok(Outcome::ready())
    }
}

mizzen_sdk::export!(Guest);
