//! Whether what runs in a namespace is part of the mesh.

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, cluster};
use serde::Deserialize;

const INJECTION: &str = "injection";

#[derive(Deserialize)]
struct Namespace {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    labels: Labels,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(rename = "istio-injection")]
    injection: Option<String>,
    #[serde(rename = "istio.io/rev")]
    revision: Option<String>,
}

fn namespace() -> Kind {
    Kind::new("v1", "Namespace")
}

/// Declares what [`in_mesh`] reads.
#[must_use]
pub fn declare(description: Description) -> Description {
    let labels = ["metadata.labels['istio-injection']", "metadata.labels['istio.io/rev']"];
    description.reads_fields(INJECTION, namespace(), &labels, "whether an application's pods have sidecars")
}

/// Whether pods of a namespace get sidecars, as Istio's injector decides it: `istio-injection` decides where it is set, and a revision
/// (`istio.io/rev`) otherwise. Verrazzano looked at `istio-injection` alone, so in a namespace with a revision it switched off the TLS that
/// strict peers insist on.
pub fn in_mesh(name: &str) -> Result<bool, AccessError> {
    let found: Option<Namespace> = cluster::get(&ObjectRef::new(namespace(), None, name), Some(INJECTION))?;
    let labels = found.map(|namespace| namespace.metadata.labels).unwrap_or_default();
    Ok(match labels.injection {
        Some(injection) => injection == "enabled",
        None => labels.revision.is_some_and(|revision| !revision.is_empty()),
    })
}
