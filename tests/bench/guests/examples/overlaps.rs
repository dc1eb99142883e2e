//! Counts the VirtualServices whose routes overlap with an API's path.

use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, Text, cluster};
use serde::Deserialize;
use serde_json::Value;

/// The reconciler.
#[derive(Debug)]
pub struct Overlaps;

/// The spec of an API.
#[derive(Debug, Deserialize)]
pub struct Spec {
    path: String,
}

const PREFIX: &str = "spec.http[*].match[*].uri.prefix";

impl Reconciler for Overlaps {
    type Spec = Spec;
    type Config = Value;

    fn describe() -> Description {
        Description::new("overlaps", "0.1.0", "Finds overlaps", Kind::new("oda.tmforum.org/v1", "ExposedAPI"))
            .reads_fields("routes", virtual_service(), &[PREFIX], "whose paths overlap")
    }

    fn reconcile(request: &Request<Spec, Value>) -> Result<Outcome, Failure> {
        let path = &request.subject.spec.path;
        let overlap = [(PREFIX, Text::prefix_of(path)), (PREFIX, Text::starts_with(path))];
        let found = cluster::count(&Query::of(virtual_service()).fields("routes").where_any(overlap))?;
        Ok(Outcome::warning(format!("{found} routes")))
    }
}

fn virtual_service() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

mizzen_sdk::export!(Overlaps);
