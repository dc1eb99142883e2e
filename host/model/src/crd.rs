//! `CustomResourceDefinition`s from Rust types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The names and the scope of a custom resource.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// API group, e.g. `mizzen.dev`.
    pub group: &'static str,
    /// Version, e.g. `v1alpha1`.
    pub version: &'static str,
    /// Kind, e.g. `Reconciler`.
    pub kind: &'static str,
    /// Plural, lower case.
    pub plural: &'static str,
    /// Singular, lower case.
    pub singular: &'static str,
    /// Short names for kubectl.
    pub short: &'static [&'static str],
    /// kubectl's categories, e.g. `all`.
    pub categories: &'static [&'static str],
    /// Whether its objects are namespaced.
    pub namespaced: bool,
}

/// One column of `kubectl get`: heading, type, `JSONPath`.
pub type Column = (&'static str, &'static str, &'static str);

/// The CRD of a kind with this spec and status, with a status subresource, as one document.
pub fn definition<Spec: JsonSchema, Status: JsonSchema>(names: &Names, columns: &[Column]) -> Value {
    let columns: Vec<_> =
        columns.iter().map(|(name, kind, path)| json!({"name": name, "type": kind, "jsonPath": path})).collect();
    let Names { group, version, kind, plural, singular, short, categories, namespaced } = *names;
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group,
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular,
                      "shortNames": short, "categories": categories},
            "scope": if namespaced { "Namespaced" } else { "Cluster" },
            "versions": [{
                "name": version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": {"spec": structural::<Spec>(), "status": structural::<Status>()},
                }},
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
            }],
        },
    })
}

/// A type's structural schema, as the API server requires it: no references, `nullable` in place of
/// a null type.
pub fn structural<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    make_structural(&mut schema);
    schema
}

/// Asserts that a file has this definition; with `MIZZEN_UPDATE` set it writes the file first. For
/// the tests that keep `deploy/crds` up to date.
///
/// # Panics
/// When the file has another content; the message says how to update it.
#[expect(clippy::panic, reason = "it is an assertion")]
pub fn assert_file(file: &std::path::Path, definition: &Value) {
    let name = file.file_name().unwrap_or_default().display();
    if std::env::var_os("MIZZEN_UPDATE").is_some() {
        let yaml = serde_saphyr::to_string(definition).unwrap_or_default();
        let text = format!("# Generated from the Rust types by `make crds`.\n{yaml}");
        if let Err(error) = std::fs::write(file, text) {
            panic!("{name}: {error}");
        }
    }
    match crate::yaml::load(file) {
        Ok(documents) if documents.len() == 1 && documents[0].value == *definition => {}
        Ok(_) => panic!("{name} differs from what the types generate: run `make crds` to update it"),
        Err(errors) => panic!("{name}: {errors:?}"),
    }
}

fn make_structural(schema: &mut Value) {
    if *schema == Value::Bool(true) {
        *schema = json!({"x-kubernetes-preserve-unknown-fields": true});
        return;
    }
    let Some(map) = schema.as_object_mut() else { return };
    for unknown in ["$schema", "title", "definitions", "additionalItems"] {
        map.remove(unknown);
    }
    replace_null(map);
    merge_documented_variants(map);
    // A flattened map has `additionalProperties: true`, which the API server refuses beside
    // `properties`.
    if map.get("additionalProperties") == Some(&Value::Bool(true)) {
        map.remove("additionalProperties");
        map.insert("x-kubernetes-preserve-unknown-fields".into(), Value::Bool(true));
    }
    // `deny_unknown_fields` gives `additionalProperties: false`, which the API server refuses
    // beside `properties`: it prunes unknown fields by itself, or refuses them under strict
    // validation.
    if map.get("additionalProperties") == Some(&Value::Bool(false)) {
        map.remove("additionalProperties");
    }
    if let Some(format) = map.get("format").and_then(Value::as_str)
        && format.starts_with("uint")
    {
        map.remove("format");
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(items)) = map.get_mut(list) {
            items.iter_mut().for_each(make_structural);
        }
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(make_structural);
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(value) = map.get_mut(nested) {
            make_structural(value);
        }
    }
}

/// Replaces JSON Schema's two forms of an optional value, `type: [x, null]` and `anyOf: [x, {type:
/// null}]`, by `nullable`.
fn replace_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = map.get("type") {
        let rest: Vec<_> = types.iter().filter(|t| **t != "null").cloned().collect();
        if let [one] = rest.as_slice() {
            map.insert("type".into(), one.clone());
            map.insert("nullable".into(), Value::Bool(true));
        }
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let is_null = |schema: &Value| schema.get("type").is_some_and(|t| t == "null");
    if let Some(Value::Array(variants)) = map.get("anyOf")
        && variants.len() == 2
        && let Some(at) = variants.iter().position(|variant| !is_null(variant))
        && is_null(&variants[1 - at])
        && let Some(variant) = variants[at].as_object().cloned()
    {
        map.remove("anyOf");
        for (key, value) in variant {
            map.entry(key).or_insert(value);
        }
        map.insert("nullable".into(), Value::Bool(true));
    }
}

/// Replaces `oneOf: [{const, description}, …]`, the form of an enum with documented variants, by
/// one structural `enum`.
fn merge_documented_variants(map: &mut Map<String, Value>) {
    let Some(Value::Array(variants)) = map.get("oneOf") else { return };
    let mut values = Vec::new();
    for variant in variants {
        match (variant.get("const"), variant.get("enum")) {
            (Some(value), _) => values.push(value.clone()),
            (None, Some(Value::Array(several))) => values.extend(several.iter().cloned()),
            _ => return,
        }
    }
    map.remove("oneOf");
    map.insert("type".into(), json!("string"));
    map.insert("enum".into(), Value::Array(values));
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Spec {
        some_count: Option<u32>,
        level: Option<Level>,
        nested: Vec<Option<Nested>>,
    }

    #[derive(Deserialize, JsonSchema)]
    enum Level {
        /// One.
        High,
        /// Another.
        Low,
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Nested {
        name: String,
    }

    #[test]
    fn a_schema_has_nothing_that_the_api_server_refuses() {
        let schema = structural::<Spec>();
        let text = schema.to_string();
        for refused in ["$ref", "$schema", "\"null\"", "definitions", "additionalProperties", "uint32", "\"const\""] {
            assert!(!text.contains(refused), "{refused} in {text}");
        }
        assert_eq!(schema["properties"]["level"]["enum"], json!(["High", "Low"]));
        assert_eq!(schema["properties"]["someCount"]["type"], "integer");
        assert_eq!(schema["properties"]["nested"]["items"]["properties"]["name"]["type"], "string");
    }
}
