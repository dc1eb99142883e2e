//! Whether the pods of a namespace are part of the mesh.

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

/// Declares the reads of [`membership`].
#[must_use]
pub fn declare(description: Description) -> Description {
    let labels = ["metadata.labels['istio-injection']", "metadata.labels['istio.io/rev']"];
    description.reads_fields(INJECTION, namespace(), &labels, "whether an application's pods have sidecars")
}

/// Whether the pods of a namespace are in the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// They have sidecars.
    InMesh,
    /// They have no sidecars.
    Outside,
}

/// Returns whether pods of a namespace have sidecars, by the rules of Istio's injector: `istio-injection`
/// decides if it is set, otherwise a revision (`istio.io/rev`). Verrazzano considered only
/// `istio-injection`, so in a namespace with a revision it switched off the TLS that strict peers
/// require.
pub fn membership(name: &str) -> Result<Membership, AccessError> {
    let found: Option<Namespace> = cluster::get(&ObjectRef::new(namespace(), None, name), Some(INJECTION))?;
    let labels = found.map(|namespace| namespace.metadata.labels).unwrap_or_default();
    let injected = match labels.injection {
        Some(injection) => injection == "enabled",
        None => labels.revision.is_some_and(|revision| !revision.is_empty()),
    };
    Ok(if injected { Membership::InMesh } else { Membership::Outside })
}
