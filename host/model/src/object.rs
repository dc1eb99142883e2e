//! One object as the host holds it: compact text, with what the host looks at beside it.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::{Fields, Kind, ObjectRef, canonical};

/// An object's labels, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Arc<str>, Arc<str>)]>);

/// One object, projected to a field set and held as compact canonical JSON.
///
/// Text rather than a tree: a tenth of the memory, it is what a guest is given, and two revisions are compared by comparing it.
/// `metadata.managedFields` and `metadata.resourceVersion` are never in the text, so a change of those alone is no change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which object this is.
    pub reference: ObjectRef,
    /// `metadata.uid`; empty for an object that was never in a cluster.
    pub uid: Box<str>,
    /// `metadata.resourceVersion` as a number; 0 where there is none.
    pub resource_version: u64,
    /// `metadata.generation`; 0 where there is none.
    pub generation: i64,
    /// `metadata.labels`, whatever the projection.
    pub labels: Labels,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// Which fields the text was projected to.
    fields: Fields,
    json: Box<str>,
}

/// Why a document is no Kubernetes object.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ObjectError {
    /// A field every object has is missing or empty.
    #[error("not a Kubernetes object: `{0}` is missing or not a string")]
    Missing(&'static str),
}

// === impl Labels ===

impl Labels {
    /// The labels of a `metadata.labels` map; values that are not strings are left out.
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
    /// Which object a document is.
    pub fn reference_of(document: &Value) -> Result<ObjectRef, ObjectError> {
        let metadata = &document["metadata"];
        let kind = Kind::new(text(&document["apiVersion"], "apiVersion")?, text(&document["kind"], "kind")?);
        Ok(ObjectRef::new(kind, metadata["namespace"].as_str(), text(&metadata["name"], "metadata.name")?))
    }

    /// Takes in a document from the API server or a file, keeping `fields` of it.
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
        // The text came out of a `Value`, so it parses; were it ever not so, "nothing known" is the safe answer.
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The same object with fewer fields: itself when it holds exactly these. Meaningful when the fields it holds cover `fields`.
    #[must_use]
    pub fn project(self: &Arc<Self>, fields: &Fields) -> Arc<Self> {
        match self.text(fields) {
            Cow::Borrowed(_) => Arc::clone(self),
            Cow::Owned(json) => Arc::new(Self { fields: fields.clone(), json: json.into(), ..Self::clone(self) }),
        }
    }

    /// Its text with fewer fields: what is compared when only they count.
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
    fn a_new_resource_version_alone_is_no_change_of_text() {
        let at = |version: &str| {
            let document = json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "a", "resourceVersion": version, "managedFields": [{"manager": version}]}});
            Object::new(document, &Fields::Whole).unwrap()
        };
        assert_eq!(at("1").json(), at("2").json());
        assert_eq!(at("2").resource_version, 2);
    }

    #[test]
    fn labels_are_kept_beside_a_projection_that_drops_them() {
        let document = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"b": "2", "a": "1"}}, "spec": {"x": 1}});
        let object = Object::new(document, &Fields::identity()).unwrap();
        assert_eq!(object.labels.get("b"), Some("2"));
        assert!(!object.json().contains("labels"));
    }

    #[test]
    fn an_object_that_holds_just_the_fields_asked_for_is_not_copied() {
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
