//! What a `CustomResourceDefinition` defines: one kind for each served version, all of them of the same objects.

use mizzen_model::Kind;
use serde_json::Value;

use super::kinds::Served;
use super::problem::{Field, Problem};
use super::schema::Schema;
use super::shape::{Relation, Shape};
use crate::KindFacts;

/// The kind that defines kinds.
pub(super) const DEFINITION: &str = "CustomResourceDefinition";

/// Reads a definition: every problem at once.
///
/// Where a webhook converts between versions, only the version that is stored is served: what the webhook would make of it nobody
/// here can know.
pub(super) fn kinds(definition: &Value) -> Result<Vec<(Kind, Served)>, Vec<Problem>> {
    let spec = &definition["spec"];
    let mut problems = Vec::new();
    let mut text = |value: &Value, field: &str| {
        let text = value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        text.unwrap_or_else(|| {
            problems.push(Problem::at(Field::of(field), "is required"));
            String::new()
        })
    };
    let group = text(&spec["group"], "spec.group");
    let name = text(&spec["names"]["kind"], "spec.names.kind");
    let plural = text(&spec["names"]["plural"], "spec.names.plural");
    let namespaced = match spec["scope"].as_str() {
        Some("Namespaced") => true,
        Some("Cluster") => false,
        _ => {
            problems.push(Problem::at(Field::of("spec.scope"), "must be `Namespaced` or `Cluster`"));
            true
        }
    };
    let full_name = format!("{plural}.{group}");
    if definition["metadata"]["name"] != *full_name {
        problems.push(Problem::at(Field::of("metadata.name"), format!("must be `{full_name}`: plural and group")));
    }
    let versions: Vec<_> = spec["versions"].as_array().into_iter().flatten().collect();
    let is_stored = |version: &&&Value| version["storage"] == true;
    let Some(stored) = versions.iter().find(is_stored).or(versions.first()).and_then(|v| v["name"].as_str()) else {
        problems.push(Problem::at(Field::of("spec.versions"), "must name at least one version"));
        return Err(problems);
    };
    let storage = Kind::new(format!("{group}/{stored}"), &name);
    let converted = spec["conversion"]["strategy"] == "Webhook";
    let mut kinds = Vec::new();
    for (place, version) in versions.iter().enumerate() {
        let at = Field::of("spec.versions").element(place);
        let Some(version_name) = version["name"].as_str() else {
            problems.push(Problem::at(at.field("name"), "is required"));
            continue;
        };
        if version["served"] == false || (converted && version_name != stored) {
            continue;
        }
        match Schema::new(&version["schema"]["openAPIV3Schema"]) {
            Ok(schema) => {
                let facts = KindFacts {
                    plural: plural.clone(),
                    namespaced,
                    status_subresource: version["subresources"]["status"].is_object(),
                    conditions_by_type: has_conditions_by_type(Shape::Root(&schema)),
                };
                let served = Served { facts, storage: storage.clone(), generation: true, schema: Some(schema) };
                kinds.push((Kind::new(format!("{group}/{version_name}"), &name), served));
            }
            Err(why) => problems.push(Problem::at(at.field("schema").field("openAPIV3Schema"), why)),
        }
    }
    if problems.is_empty() { Ok(kinds) } else { Err(problems) }
}

/// Whether `status.conditions` is a list keyed by `type`.
pub(super) fn has_conditions_by_type(shape: Shape<'_>) -> bool {
    let relation = shape.field("status").field("conditions").relation(&Value::Array(Vec::new()));
    matches!(relation, Relation::Keyed(keys) if keys.iter().map(|(key, _)| &**key).eq(["type"]))
}
