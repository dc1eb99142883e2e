//! Validation of a document against the schema of its kind: every violation at once, each with its
//! field.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use mizzen_model::field_at;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::document::{ReconcilerSpec, RendererSpec};

/// A violation of a schema.
pub(crate) struct Violation {
    pub(crate) field: String,
    pub(crate) message: String,
}

/// The schema of the `spec` of one kind.
pub(crate) struct Shape {
    /// Without references, so that the path of a violation leads through this document.
    schema: Value,
    validator: Option<Validator>,
}

/// The shape of a `Reconciler`.
pub(crate) static RECONCILER: LazyLock<Shape> = LazyLock::new(Shape::of::<ReconcilerSpec>);

/// The shape of a `Renderer`.
pub(crate) static RENDERER: LazyLock<Shape> = LazyLock::new(Shape::of::<RendererSpec>);

/// The top-level fields of a document. The host writes `status`; exported documents have it.
const TOP: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

// === impl Violation ===

impl Violation {
    fn new(field: String, message: String) -> Self {
        Self { field, message }
    }
}

// === impl Shape ===

impl Shape {
    fn of<Spec: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        let schema = settings.into_generator().into_root_schema_for::<Spec>().to_value();
        let validator = jsonschema::validator_for(&schema).ok();
        Self { schema, validator }
    }

    /// Whether the `spec` has a field of this name.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.schema["properties"].get(field).is_some()
    }

    /// The violations of a `spec`.
    pub(crate) fn violations(&self, spec: &Value) -> Vec<Violation> {
        self.validator
            .iter()
            .flat_map(|schema| schema.iter_errors(spec))
            .flat_map(|error| self.describe(&error))
            .collect()
    }

    /// Unknown top-level fields: most often a part of the `spec` that is not indented.
    pub(crate) fn strays(&self, document: &Value) -> Vec<Violation> {
        let names = document.as_object().into_iter().flatten().map(|(name, _)| name);
        let strays = names.filter(|name| !TOP.contains(&name.as_str()));
        let known = TOP.map(str::to_owned);
        let of_spec = properties(&self.schema);
        let message = |name: &String| {
            if of_spec.contains(name) {
                format!("`{name}` is beside `spec`; indent it, so that it is part of `spec`")
            } else {
                unknown(name, &known)
            }
        };
        strays.map(|name| Violation::new(name.clone(), message(name))).collect()
    }

    fn describe(&self, error: &ValidationError<'_>) -> Vec<Violation> {
        let at = field_at("spec", error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let known = self.known_fields(error);
                unexpected.iter().map(|name| Violation::new(format!("{at}.{name}"), unknown(name, &known))).collect()
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![Violation::new(at, format!("`{name}` is missing"))]
            }
            // An optional field is "this or null", and an enumeration has one constant per choice:
            // users know neither form.
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                self.alternatives(error, context).unwrap_or_else(|| vec![Violation::new(at, error.to_string())])
            }
            _ => vec![Violation::new(at, error.to_string())],
        }
    }

    /// The violations if no alternative matches: the choices, or the violations of the only
    /// alternative that is not null.
    fn alternatives(
        &self,
        error: &ValidationError<'_>,
        branches: &[Vec<ValidationError<'_>>],
    ) -> Option<Vec<Violation>> {
        let choice = |branch: &Vec<ValidationError<'_>>| match branch.first()?.kind() {
            ValidationErrorKind::Constant { expected_value } => expected_value.as_str().map(str::to_owned),
            _ => None,
        };
        if let Some(choices) = branches.iter().map(choice).collect::<Option<Vec<_>>>() {
            let given = error.instance().as_str().map_or_else(|| error.instance().to_string(), str::to_owned);
            let at = field_at("spec", error.instance_path().as_str());
            return Some(vec![Violation::new(at, unknown(&given, &choices))]);
        }
        let null = |error: &ValidationError<'_>| {
            matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) })
        };
        let mut values = branches.iter().filter(|branch| !branch.iter().any(null));
        match (values.next(), values.next()) {
            (Some(only), None) => Some(only.iter().flat_map(|error| self.describe(error)).collect()),
            _ => None,
        }
    }

    /// The properties of the schema that does not have a field.
    fn known_fields(&self, error: &ValidationError<'_>) -> Vec<String> {
        let path = error.schema_path().as_str();
        let parent = path.strip_suffix("/additionalProperties").unwrap_or(path);
        self.schema.pointer(parent).map(properties).unwrap_or_default()
    }
}

fn properties(schema: &Value) -> Vec<String> {
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The message about an unknown name, with the nearest known name.
pub(crate) fn unknown(name: &str, known: &[String]) -> String {
    let near = known.iter().min_by_key(|own| strsim::damerau_levenshtein(own, name));
    let near = near.filter(|own| strsim::damerau_levenshtein(own, name) <= 2 && own.len() > 2);
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    if known.is_empty() {
        return format!("`{name}` is not known");
    }
    let known = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!("`{name}` is not known{hint} (known: {known})")
}
