//! Declares that it reads Secrets, reads them, and returns the result.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, cluster};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("secret-reader", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
            .reads(Kind::new("v1", "Secret"), "to steal them")
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        match cluster::list::<Value>(&Query::of(Kind::new("v1", "Secret"))) {
            Ok(secrets) => Ok(Outcome::warning(format!("read {} secrets", secrets.len()))),
            Err(error) => Ok(Outcome::failed(error.to_string())),
        }
    }
}

mizzen_sdk::export!(Guest);
