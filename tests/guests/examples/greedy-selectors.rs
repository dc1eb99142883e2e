//! Selects by ten thousand values in one read, and by one of a mebibyte, and returns the errors.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, Text, cluster};
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Guest;

impl Reconciler for Guest {
    type Spec = Value;
    type Config = Value;

    fn describe() -> Description {
        let pod = Kind::new("v1", "Pod");
        Description::new("greedy-selectors", "0.1.0", "Misbehaves", Kind::new("v1", "ConfigMap")).reads_fields(
            "node",
            pod,
            &["spec.nodeName"],
            "to look for nodes",
        )
    }

    fn reconcile(_: &Request<Value, Value>) -> Result<Outcome, Failure> {
        let pods = || Query::of(Kind::new("v1", "Pod")).fields("node");
        let many = pods().where_any((0..10_000).map(|at| ("spec.nodeName", Text::equals(format!("n{at}")))));
        let long = pods().where_any([("spec.nodeName", Text::starts_with("n".repeat(1 << 20)))]);
        let deep = pods().where_any([("a.".repeat(1 << 16), Text::equals("n"))]);
        let refused: Vec<_> = [many, long, deep]
            .iter()
            .filter_map(|query| cluster::count(query).err())
            .map(|error| error.to_string())
            .collect();
        Ok(Outcome::failed(refused.join("; ")))
    }
}

mizzen_sdk::export!(Guest);
