//! How the parts of a kind's documents are owned: field by field, element by element, or as a
//! whole.
//!
//! Custom kinds declare it in the schema (`x-kubernetes-list-type`, `x-kubernetes-map-type`); a
//! table has the built-in kinds.

use serde_json::Value;

use super::schema::Schema;

/// How a value is owned, and therefore how it is merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// As a whole: one field manager owns all of it.
    Whole,
    /// An object, field by field.
    Fields,
    /// A list, element by element; the value identifies an element.
    Set,
    /// A list, element by element; these fields, which may have a default, identify an element.
    Keyed(Vec<(String, Option<Value>)>),
}

/// A place in the documents of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// A custom kind's document.
    Root(&'a Schema),
    /// A part of such a document, with its schema.
    Schema(&'a Value),
    /// A part of a built-in kind's document, or any kind's metadata: known by the last two fields
    /// of its path.
    BuiltIn {
        /// The kind; empty for metadata.
        kind: &'a str,
        /// The field before the last.
        parent: &'a str,
        /// The last field.
        field: &'a str,
        /// Whether it is an element of that field's list, not the list itself.
        element: bool,
    },
    /// A part without a declared shape.
    Free,
}

/// Kind (any, if empty), parent field (any, if empty), field, and how its value is owned. The first
/// match wins.
type Rule = (&'static str, &'static str, &'static str, Owned);

#[derive(Clone, Copy)]
enum Owned {
    Whole,
    Set,
    Keyed(&'static [&'static str]),
}

use Owned::{Keyed, Set, Whole};

/// Where built-in kinds deviate from "objects field by field, lists as a whole".
const RULES: &[Rule] = &[
    ("", "metadata", "finalizers", Set),
    ("", "metadata", "ownerReferences", Keyed(&["uid"])),
    ("Job", "status", "conditions", Whole),
    ("", "status", "conditions", Keyed(&["type"])),
    ("Node", "status", "addresses", Keyed(&["type"])),
    ("Node", "spec", "podCIDRs", Set),
    ("Service", "spec", "ports", Keyed(&["port", "protocol"])),
    ("ServiceAccount", "", "secrets", Keyed(&["name"])),
    ("ServiceAccount", "", "imagePullSecrets", Whole),
    ("MutatingWebhookConfiguration", "", "webhooks", Keyed(&["name"])),
    ("ValidatingWebhookConfiguration", "", "webhooks", Keyed(&["name"])),
    ("", "webhooks", "matchConditions", Keyed(&["name"])),
    ("ValidatingAdmissionPolicy", "spec", "matchConditions", Keyed(&["name"])),
    ("ValidatingAdmissionPolicy", "spec", "variables", Keyed(&["name"])),
    ("ValidatingAdmissionPolicyBinding", "spec", "validationActions", Set),
    // Pods, and the templates of pods.
    ("", "spec", "containers", Keyed(&["name"])),
    ("", "spec", "initContainers", Keyed(&["name"])),
    ("", "spec", "ephemeralContainers", Keyed(&["name"])),
    ("", "spec", "volumes", Keyed(&["name"])),
    ("", "spec", "imagePullSecrets", Keyed(&["name"])),
    ("", "spec", "hostAliases", Keyed(&["ip"])),
    ("", "spec", "resourceClaims", Keyed(&["name"])),
    ("", "spec", "schedulingGates", Keyed(&["name"])),
    ("", "spec", "topologySpreadConstraints", Keyed(&["topologyKey", "whenUnsatisfiable"])),
    ("", "status", "podIPs", Keyed(&["ip"])),
    ("", "containers", "ports", Keyed(&["containerPort", "protocol"])),
    ("", "initContainers", "ports", Keyed(&["containerPort", "protocol"])),
    ("", "ephemeralContainers", "ports", Keyed(&["containerPort", "protocol"])),
    ("", "", "env", Keyed(&["name"])),
    ("", "", "volumeMounts", Keyed(&["mountPath"])),
    ("", "", "volumeDevices", Keyed(&["devicePath"])),
    ("", "resources", "claims", Keyed(&["name"])),
    // References and selectors are atomic.
    ("", "", "selector", Whole),
    ("", "", "nodeSelector", Whole),
    ("", "", "podSelector", Whole),
    ("", "", "labelSelector", Whole),
    ("", "", "namespaceSelector", Whole),
    ("", "", "objectSelector", Whole),
    ("", "", "scopeSelector", Whole),
    ("", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", Whole),
    ("", "", "roleRef", Whole),
    ("", "valueFrom", "configMapKeyRef", Whole),
    ("", "valueFrom", "secretKeyRef", Whole),
    ("", "valueFrom", "fieldRef", Whole),
    ("", "valueFrom", "resourceFieldRef", Whole),
    ("", "", "secretRef", Whole),
    ("", "", "dataSource", Whole),
    ("", "", "matchConstraints", Whole),
    ("", "", "matchResources", Whole),
    ("", "", "paramKind", Whole),
    ("", "", "paramRef", Whole),
];

/// Lists whose elements are each owned as a whole.
const WHOLE_ELEMENTS: &[&str] = &["ownerReferences", "imagePullSecrets", "secrets", "variables"];

// === impl Shape ===

impl<'a> Shape<'a> {
    /// The shape of a built-in kind's documents.
    pub(super) fn built_in(kind: &'a str) -> Self {
        Self::BuiltIn { kind, parent: "", field: "", element: false }
    }

    /// The shape of a field of this value.
    pub(super) fn field(self, name: &'a str) -> Self {
        let metadata = Self::BuiltIn { kind: "", parent: "", field: "metadata", element: false };
        match self {
            Self::Root(_) if name == "metadata" => metadata,
            Self::Root(schema) => Self::Schema(schema.root()).field(name),
            Self::Schema(schema) if name == "metadata" && schema["x-kubernetes-embedded-resource"] == true => metadata,
            Self::Schema(schema) if schema["properties"][name].is_object() => Self::Schema(&schema["properties"][name]),
            Self::Schema(schema) if schema["additionalProperties"].is_object() => {
                Self::Schema(&schema["additionalProperties"])
            }
            Self::Schema(_) | Self::Free => Self::Free,
            Self::BuiltIn { kind, field, .. } => Self::BuiltIn { kind, parent: field, field: name, element: false },
        }
    }

    /// The shape of an element of this list.
    pub(super) fn element(self) -> Self {
        match self {
            Self::Schema(schema) if schema["items"].is_object() => Self::Schema(&schema["items"]),
            Self::Root(_) | Self::Schema(_) | Self::Free => Self::Free,
            Self::BuiltIn { kind, parent, field, .. } => Self::BuiltIn { kind, parent, field, element: true },
        }
    }

    /// How a value with this shape is owned.
    pub(super) fn relation(self, value: &Value) -> Relation {
        let declared = match self {
            Self::Root(_) | Self::Free => None,
            Self::Schema(schema) => declared(schema),
            Self::BuiltIn { element: true, field, .. } => WHOLE_ELEMENTS.contains(&field).then_some(Relation::Whole),
            Self::BuiltIn { kind, parent, field, .. } => ruled(kind, parent, field),
        };
        match (declared, value) {
            (Some(relation @ (Relation::Set | Relation::Keyed(_))), Value::Array(_)) => relation,
            (None | Some(Relation::Fields | Relation::Set | Relation::Keyed(_)), Value::Object(_)) => Relation::Fields,
            _ => Relation::Whole,
        }
    }
}

/// The relation that a schema declares for a list or object.
fn declared(schema: &Value) -> Option<Relation> {
    if schema["x-kubernetes-map-type"] == "atomic" {
        return Some(Relation::Whole);
    }
    match schema["x-kubernetes-list-type"].as_str()? {
        "set" => Some(Relation::Set),
        "map" => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let default = |key: &str| schema["items"]["properties"][key].get("default").cloned();
            Some(Relation::Keyed(keys.map(|key| (key.to_owned(), default(key))).collect()))
        }
        _ => Some(Relation::Whole),
    }
}

fn ruled(kind: &str, parent: &str, field: &str) -> Option<Relation> {
    let fits = |of: &str, own: &str| of.is_empty() || of == own;
    let rule = RULES.iter().find(|(k, p, f, _)| *f == field && fits(k, kind) && fits(p, parent));
    rule.map(|(.., owned)| match owned {
        Whole => Relation::Whole,
        Set => Relation::Set,
        Keyed(keys) => Relation::Keyed(
            keys.iter().map(|key| ((*key).to_owned(), (*key == "protocol").then(|| Value::from("TCP")))).collect(),
        ),
    })
}
