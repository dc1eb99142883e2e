//! Kinds that an outcome defines itself, by a `CustomResourceDefinition` among its desired objects.
//!
//! Until the definition is applied, only its document tells whether objects of the kind are namespaced.

use std::collections::HashMap;

use mizzen_model::Kind;
use serde_json::Value;

/// The kinds that are defined by these documents, and whether their objects are namespaced.
pub(crate) fn defined(documents: &[Value]) -> HashMap<Kind, bool> {
    let definitions = documents.iter().filter(|document| {
        document["kind"] == "CustomResourceDefinition"
            && document["apiVersion"].as_str().is_some_and(|own| own.starts_with("apiextensions.k8s.io/"))
    });
    definitions.flat_map(|definition| kinds(&definition["spec"])).collect()
}

fn kinds(spec: &Value) -> Vec<(Kind, bool)> {
    let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str()) else { return Vec::new() };
    let served = spec["versions"].as_array().into_iter().flatten().filter(|version| version["served"] == true);
    let names = served.filter_map(|version| version["name"].as_str());
    names.map(|version| (Kind::new(format!("{group}/{version}"), kind), spec["scope"] == "Namespaced")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_served_version_of_a_definition_is_a_kind() {
        let version = |name: &str, served: bool| json!({"name": name, "served": served});
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Shop"},
                     "versions": [version("v1", true), version("v1beta1", true), version("v1alpha1", false)]},
        });
        let shop = |version: &str| (Kind::new(format!("example.com/{version}"), "Shop"), true);
        assert_eq!(defined(&[json!({"kind": "ConfigMap"}), definition]), HashMap::from([shop("v1"), shop("v1beta1")]));
    }

    #[test]
    fn a_document_that_only_resembles_a_definition_defines_nothing() {
        let foreign =
            json!({"apiVersion": "example.com/v1", "kind": "CustomResourceDefinition", "spec": {"group": "a"}});
        let empty = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"});
        assert!(defined(&[foreign, empty]).is_empty());
    }
}
