//! Desires an object that is nested a thousand levels deep.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, object};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        Description::new("deep-json", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let mut deep = Value::Null;
        for _ in 0..1_000 {
            deep = Value::Array(vec![deep]);
        }
        let kind = Kind::new("v1", "ConfigMap");
        Ok(Outcome::ready().desire([object(&kind, Some("default"), "deep", serde_json::json!({"data": deep}))]))
    }
}

mizzen_sdk::export!(Guest);
