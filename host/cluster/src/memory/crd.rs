//! The kinds that a `CustomResourceDefinition` defines: one for each served version, all with the
//! same objects.

use mizzen_model::Kind;
use serde_json::Value;

use super::problem::{Field, Problem};
use super::schema::Schema;
use super::served::Served;
use super::shape::{Relation, Shape};
use crate::view::KindFacts;

/// The name of the kind that defines kinds.
pub(super) const DEFINITION: &str = "CustomResourceDefinition";

/// What all versions of a definition share.
struct Definition<'a> {
    group: &'a str,
    name: &'a str,
    plural: &'a str,
    namespaced: bool,
    /// The stored version.
    stored: &'a str,
    /// Whether a webhook converts between versions.
    webhook: bool,
}

/// Returns the kinds of a definition, or everything that is wrong with it.
///
/// Where a webhook converts between versions, the stored version alone is served: the webhook is
/// not here to convert.
pub(super) fn kinds(definition: &Value) -> Result<Vec<(Kind, Served)>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut kinds = Vec::new();
    let read = Definition::read(definition, &mut problems);
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten().enumerate();
    for (place, version) in versions.filter(|_| !read.stored.is_empty()) {
        match read.version(version, &Field::of("spec.versions").element(place)) {
            Ok(kind) => kinds.extend(kind),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(kinds) } else { Err(problems) }
}

// === impl Definition ===

impl<'a> Definition<'a> {
    fn read(definition: &'a Value, problems: &mut Vec<Problem>) -> Self {
        let spec = &definition["spec"];
        let mut text = |value: &'a Value, field: &str| {
            let text = value.as_str().unwrap_or_default();
            if text.is_empty() {
                problems.push(Problem::at(Field::of(field), "is required"));
            }
            text
        };
        let group = text(&spec["group"], "spec.group");
        let name = text(&spec["names"]["kind"], "spec.names.kind");
        let plural = text(&spec["names"]["plural"], "spec.names.plural");
        let scope = spec["scope"].as_str().unwrap_or_default();
        if !matches!(scope, "Namespaced" | "Cluster") {
            problems.push(Problem::at(Field::of("spec.scope"), "must be `Namespaced` or `Cluster`"));
        }
        let full_name = format!("{plural}.{group}");
        if definition["metadata"]["name"] != *full_name {
            problems.push(Problem::at(Field::of("metadata.name"), format!("must be `{full_name}`: plural and group")));
        }
        let stored = stored(spec).unwrap_or_default();
        if stored.is_empty() {
            problems.push(Problem::at(Field::of("spec.versions"), "must name at least one version"));
        }
        let webhook = spec["conversion"]["strategy"] == "Webhook";
        Self { group, name, plural, namespaced: scope != "Cluster", stored, webhook }
    }

    /// The kind of one version; `None` if it is not served.
    fn version(&self, version: &Value, at: &Field) -> Result<Option<(Kind, Served)>, Problem> {
        let Some(name) = version["name"].as_str() else {
            return Err(Problem::at(at.field("name"), "is required"));
        };
        if version["served"] == false || (self.webhook && name != self.stored) {
            return Ok(None);
        }
        let schema = Schema::new(&version["schema"]["openAPIV3Schema"])
            .map_err(|error| Problem::at(at.field("schema").field("openAPIV3Schema"), error.to_string()))?;
        let facts = KindFacts {
            plural: self.plural.to_owned(),
            namespaced: self.namespaced,
            status_subresource: version["subresources"]["status"].is_object(),
            conditions_by_type: has_conditions_by_type(Shape::Root(&schema)),
        };
        let served = Served { facts, storage: self.kind(self.stored), generation: true, schema: Some(schema) };
        Ok(Some((self.kind(name), served)))
    }

    fn kind(&self, version: &str) -> Kind {
        Kind::new(format!("{}/{version}", self.group), self.name)
    }
}

/// The name of the stored version: the one that is marked, or else the first.
fn stored(spec: &Value) -> Option<&str> {
    let versions = spec["versions"].as_array()?;
    let marked = versions.iter().find(|version| version["storage"] == true);
    marked.or(versions.first())?["name"].as_str()
}

/// Whether `status.conditions` is a list keyed by `type`.
pub(super) fn has_conditions_by_type(shape: Shape<'_>) -> bool {
    let relation = shape.field("status").field("conditions").relation(&Value::Array(Vec::new()));
    matches!(relation, Relation::Keyed(keys) if keys.iter().map(|(key, _)| &**key).eq(["type"]))
}
