//! A document from the API server, parsed without `metadata.managedFields`, which is often half of
//! it and never used.

use std::fmt;

use mizzen_model::object::ObjectError;
use mizzen_model::{Fields, Kind, Object};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// One document, kept only until it is projected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document(Value);

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) metadata: PageMetadata,
    pub(crate) items: Vec<Document>,
}

/// The revision of a list, and the token of its next page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageMetadata {
    #[serde(default)]
    pub(crate) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(crate) next: String,
}

impl Document {
    /// Projects it to an object of `kind`, which items of a list do not name.
    pub(crate) fn object(self, kind: &Kind, fields: &Fields) -> Result<Object, ObjectError> {
        let Self(mut document) = self;
        if let Some(document) = document.as_object_mut() {
            document.insert("apiVersion".into(), Value::from(&*kind.api_version));
            document.insert("kind".into(), Value::from(&*kind.name));
        }
        let mut object = Object::new(document, fields)?;
        // Shares the kind with all other objects of it.
        object.reference.kind = kind.clone();
        Ok(object)
    }

    /// The document as a tree.
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Part::Document).map(Self)
    }
}

/// Which map is being read.
#[derive(Clone, Copy)]
enum Part {
    Document,
    Metadata,
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a Kubernetes object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = match (self, key.as_str()) {
                (Self::Metadata, "managedFields") => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
                (Self::Document, "metadata") => entries.next_value_seed(Self::Metadata)?,
                _ => entries.next_value()?,
            };
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_are_never_parsed() {
        let text = r#"{"metadata": {"managedFields": [{"manager": "x"}], "name": "a", "resourceVersion": "7"},
                       "spec": {"managedFields": 1}}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        assert!(document.value()["metadata"].get("managedFields").is_none());
        assert_eq!(document.value()["spec"]["managedFields"], 1);
    }

    #[test]
    fn an_item_of_a_list_gets_the_kind_of_the_list() {
        let text =
            r#"{"metadata": {"resourceVersion": "9"}, "items": [{"metadata": {"name": "a", "resourceVersion": "7"}}]}"#;
        let page: Page = serde_json::from_str(text).unwrap();
        let pod = Kind::new("v1", "Pod");
        let object = page.items[0].clone().object(&pod, &Fields::identity()).unwrap();
        assert_eq!(object.json(), r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#);
        assert_eq!((object.resource_version, page.metadata.next.as_str()), (7, ""));
    }
}
