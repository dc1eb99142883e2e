//! The `CustomResourceDefinition` in `deploy`.

use mizzen_model::crd::{Names, definition};
use serde_json::Value;

use crate::{Spec, Status};

const NAMES: Names = Names {
    group: "mizzen.dev",
    version: "v1alpha1",
    kind: "ExternalHosts",
    plural: "externalhosts",
    singular: "externalhosts",
    short: &[],
    categories: &["mizzen"],
    namespaced: true,
};

/// The definition of `externalhosts.mizzen.dev`.
pub fn crd() -> Value {
    definition::<Spec, Status>(
        &NAMES,
        &[
            ("Targets", "integer", ".status.targets"),
            ("Allowed", "string", ".status.conditions[?(@.type==\"Allowed\")].status"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ],
    )
}
