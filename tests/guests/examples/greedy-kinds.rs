//! Declares nothing, and looks up ever new and ever longer kinds, and some that are paths.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, cluster};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("greedy-kinds", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(request: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let served = match request.subject.metadata.name.as_str() {
            // The host must not list all Pods for it.
            "path" => cluster::serves(&Kind::new("v1%2Fpods", "X")),
            "long" => cluster::serves(&Kind::new("example.com/v1", &"x".repeat(100_000))),
            _ => (0..9_000).any(|at| cluster::serves(&Kind::new(&format!("g{at}.example/v1"), "X"))),
        };
        if served {
            return Err(Failure::Invalid("no such kind is served".into()));
        }
        Ok(Outcome::ready())
    }
}

mizzen_sdk::export!(Guest);
