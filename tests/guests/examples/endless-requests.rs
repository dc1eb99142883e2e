//! Sends the same request for ever, whatever the response.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, http};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("endless-requests", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
            .http("to be a nuisance")
    }

    fn reconcile(request: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let url = request.config["url"].as_str().unwrap_or_default();
        let mut sent = 0_u64;
        while sent < u64::MAX {
            sent += u64::from(http::get(url).send().is_ok()) & 1;
        }
        Ok(Outcome::ready())
    }
}

mizzen_sdk::export!(Guest);
