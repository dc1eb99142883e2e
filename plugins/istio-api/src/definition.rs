//! The `CustomResourceDefinition` in `deploy`.

use mizzen_model::crd::{Names, definition};
use serde_json::Value;

use crate::{Spec, Status};

const NAMES: Names = Names {
    group: "mizzen.dev",
    version: "v1alpha1",
    kind: "Istio",
    plural: "istios",
    singular: "istio",
    short: &[],
    categories: &["mizzen"],
    namespaced: true,
};

/// The definition of `istios.mizzen.dev`.
pub fn crd() -> Value {
    definition::<Spec, Status>(
        &NAMES,
        &[
            ("State", "string", ".status.state"),
            ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
            ("Age", "date", ".metadata.creationTimestamp"),
        ],
    )
}
