//! Desires an object of a kind that it neither declared nor was granted.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, object};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("ungranted-kind", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let role = object(
            &Kind::new("rbac.authorization.k8s.io/v1", "ClusterRole"),
            None,
            "everything",
            serde_json::json!({}),
        );
        Ok(Outcome::ready().desire([role]))
    }
}

mizzen_sdk::export!(Guest);
