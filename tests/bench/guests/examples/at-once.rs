//! Returns at once: the cost of a call is then that of its instance and of passing values.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde::de::IgnoredAny;
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct AtOnce;

impl Reconciler for AtOnce {
    type Spec = IgnoredAny;
    type Config = Value;

    fn describe() -> Description {
        Description::new("at-once", "0.1.0", "Returns at once", Kind::new("v1", "ConfigMap"))
    }

    fn reconcile(_: &Request<IgnoredAny, Value>) -> Result<Outcome, Failure> {
        Ok(Outcome::ready())
    }
}

mizzen_sdk::export!(AtOnce);
