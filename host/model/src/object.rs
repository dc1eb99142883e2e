//! One object as stores keep it: compact text, beside the metadata that the host uses.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::canonical;
use crate::fields::Fields;
use crate::kind::{Kind, ObjectRef};

/// An object's labels, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Arc<str>, Arc<str>)]>);

/// One object, projected to a field set, as compact canonical JSON.
///
/// Text rather than a tree: it takes a tenth of the memory, guests receive it as it is, and
/// comparing two revisions is comparing two texts. `metadata.managedFields` and
/// `metadata.resourceVersion` are never in the text, so a change of those alone is not a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The reference of the object.
    pub reference: ObjectRef,
    /// `metadata.uid`; empty for an object from a file.
    pub uid: Box<str>,
    /// `metadata.resourceVersion` as a number; 0 if it has none.
    pub resource_version: u64,
    /// `metadata.generation`; 0 if it has none.
    pub generation: i64,
    /// `metadata.labels`, whatever the projection.
    pub labels: Labels,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// The field set of the projection.
    fields: Fields,
    json: Box<str>,
}

/// Why a document is not a Kubernetes object.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ObjectError {
    /// A field that every object has is missing or empty.
    #[error("not a Kubernetes object: `{0}` is missing or not a string")]
    Missing(&'static str),
}

// === impl Labels ===

impl Labels {
    /// Reads a `metadata.labels` map; values that are not strings are left out.
    pub fn of(labels: &Value) -> Self {
        let pairs = labels.as_object().into_iter().flatten();
        Self(pairs.filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into()))).collect())
    }

    /// The value of a label.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(own, _)| (**own).cmp(key)).ok()?;
        Some(&self.0[at].1)
    }

    /// All labels, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

// === impl Object ===

impl Object {
    /// Reads the reference of a document.
    ///
    /// # Errors
    /// When the document is not a Kubernetes object.
    pub fn reference_of(document: &Value) -> Result<ObjectRef, ObjectError> {
        let metadata = &document["metadata"];
        let kind = Kind::new(text(&document["apiVersion"], "apiVersion")?, text(&document["kind"], "kind")?);
        Ok(ObjectRef::new(kind, metadata["namespace"].as_str(), text(&metadata["name"], "metadata.name")?))
    }

    /// Projects a document from the API server or a file.
    ///
    /// # Errors
    /// When the document is not a Kubernetes object.
    pub fn new(mut document: Value, fields: &Fields) -> Result<Self, ObjectError> {
        let reference = Self::reference_of(&document)?;
        let metadata = &document["metadata"];
        let uid = metadata["uid"].as_str().unwrap_or_default().into();
        let resource_version = metadata["resourceVersion"].as_str().and_then(|v| v.parse().ok()).unwrap_or(0);
        let generation = metadata["generation"].as_i64().unwrap_or(0);
        let labels = Labels::of(&metadata["labels"]);
        let deleting = metadata.get("deletionTimestamp").is_some_and(Value::is_string);
        if let Some(metadata) = document["metadata"].as_object_mut() {
            metadata.remove("managedFields");
            metadata.remove("resourceVersion");
        }
        let json = match fields {
            Fields::Whole => canonical::text(&document),
            Fields::Some(_) => canonical::text(&fields.project(&document)),
        };
        let fields = fields.clone();
        Ok(Self { reference, uid, resource_version, generation, labels, deleting, fields, json: json.into() })
    }

    /// The projected document as compact JSON, keys sorted.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The projected document as a tree.
    pub fn value(&self) -> Value {
        // The text was made from a `Value`, so it parses; if it ever did not, `null` would be the
        // safe result.
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// Projects the object further; returns the same object if it has exactly these fields.
    /// `fields` must be covered by the fields of the object.
    #[must_use]
    pub fn project(self: &Arc<Self>, fields: &Fields) -> Arc<Self> {
        match self.text(fields) {
            Cow::Borrowed(_) => Arc::clone(self),
            Cow::Owned(json) => Arc::new(Self { fields: fields.clone(), json: json.into(), ..Self::clone(self) }),
        }
    }

    /// The text of a further projection.
    pub fn text(&self, fields: &Fields) -> Cow<'_, str> {
        if self.fields == *fields { Cow::Borrowed(&self.json) } else { fields.project_text(&self.json) }
    }
}

fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, ObjectError> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(ObjectError::Missing(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_resource_version_alone_does_not_change_the_text() {
        let at = |version: &str| {
            let document = json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "a", "resourceVersion": version, "managedFields": [{"manager": version}]}});
            Object::new(document, &Fields::Whole).unwrap()
        };
        assert_eq!(at("1").json(), at("2").json());
        assert_eq!(at("2").resource_version, 2);
    }

    #[test]
    fn labels_are_kept_beside_a_projection_without_them() {
        let document = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"b": "2", "a": "1"}}, "spec": {"x": 1}});
        let object = Object::new(document, &Fields::identity()).unwrap();
        assert_eq!(object.labels.get("b"), Some("2"));
        assert!(!object.json().contains("labels"));
    }

    #[test]
    fn a_projection_to_the_same_fields_is_not_a_copy() {
        let document = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"x": 1, "y": 2}});
        let parse = |path| Fields::parse([path]).unwrap();
        let object = Arc::new(Object::new(document, &parse("spec")).unwrap());
        assert!(Arc::ptr_eq(&object, &object.project(&parse("spec"))));
        let fewer = object.project(&parse("spec.x"));
        assert_eq!(fewer.json(), r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"x":1}}"#);
        assert_eq!(fewer.json(), object.text(&parse("spec.x")));
        assert!(Arc::ptr_eq(&fewer, &fewer.project(&parse("spec.x"))));
    }

    #[test]
    fn a_document_without_a_name_is_refused() {
        let nameless = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}});
        assert_eq!(Object::new(nameless, &Fields::Whole), Err(ObjectError::Missing("metadata.name")));
        assert_eq!(Object::new(json!([]), &Fields::Whole), Err(ObjectError::Missing("apiVersion")));
    }
}
