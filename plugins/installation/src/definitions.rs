//! Istio's `CustomResourceDefinitions`: they are never deleted, because all objects of users would
//! be deleted with them, and never replaced by older ones, which might not be able to read those
//! objects.

use std::collections::BTreeMap;

use mizzen_istio_api::Version;
use mizzen_istio_api::plane::VERSION_LABEL;
use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, cluster};
use serde::Deserialize;
use serde_json::Value;

const FIELDS: &str = "definitions";

/// A live definition.
#[derive(Debug, Deserialize)]
struct Definition {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    conditions: Vec<Condition>,
    stored_versions: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(default)]
    status: String,
}

/// The state of the desired definitions.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// Names of live definitions that are newer than the desired ones, and stay.
    pub(crate) newer: Vec<String>,
    /// Names of those that the API server does not serve yet.
    pub(crate) awaited: Vec<String>,
}

pub(crate) fn kind() -> Kind {
    Kind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition")
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = [
        "metadata.labels['operator.istio.io/version']",
        "status.conditions[type=Established].status",
        "status.storedVersions",
    ];
    description.reads_fields(
        FIELDS,
        kind(),
        &paths,
        "whether Istio's kinds are served, and that no older ones replace them",
    )
}

/// Reads the state of the definitions among `wanted`.
pub(crate) fn read(wanted: &[Value], version: Version) -> Result<Definitions, AccessError> {
    let mut found = Definitions::default();
    for document in wanted.iter().filter(|document| document["kind"] == "CustomResourceDefinition") {
        let name = document["metadata"]["name"].as_str().unwrap_or_default();
        let there: Option<Definition> = cluster::get(&ObjectRef::new(kind(), None, name), Some(FIELDS))?;
        match there {
            Some(there) if there.is_newer_than(document, version) => found.newer.push(name.to_owned()),
            Some(there) if there.status.conditions.iter().any(|own| own.status == "True") => {}
            _ => found.awaited.push(name.to_owned()),
        }
    }
    Ok(found)
}

impl Definition {
    /// Whether the live definition's label has a newer version, or objects are stored in a version
    /// that the desired one does not have.
    fn is_newer_than(&self, wanted: &Value, version: Version) -> bool {
        let label = self.metadata.labels.get(VERSION_LABEL).and_then(|label| Version::parse(label).ok());
        let knows = |stored: &String| {
            wanted["spec"]["versions"].as_array().into_iter().flatten().any(|own| own["name"] == **stored)
        };
        label.is_some_and(|label| label > version) || !self.status.stored_versions.iter().all(knows)
    }
}
