//! What becomes of a document before it is stored: identified, cleaned, completed, checked, brought to the version that is stored.

use mizzen_model::{Kind, Object, ObjectRef};
use serde_json::Value;

use super::kinds::Kinds;
use super::ownership;
use super::problem::{Field, Problem, Refusal};
use super::shape::{Relation, Shape};
use super::{crd, metadata};

/// What a document means that names no namespace, although its kind lives in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespaces {
    /// `default`, as `kubectl` has it.
    Defaulted,
    /// A mistake, as the API server has it.
    Stated,
}

// === impl Kinds ===

impl Kinds {
    /// Which object a document is.
    pub(super) fn reference(&self, document: &Value, namespaces: Namespaces) -> Result<ObjectRef, Refusal> {
        let reference = Object::reference_of(document).map_err(|error| Refusal::invalid("", error.to_string()))?;
        let Some(served) = self.get(&reference.kind) else { return Err(Refusal::NotServed(reference.kind)) };
        match (served.facts.namespaced, &reference.namespace, namespaces) {
            (true, None, Namespaces::Defaulted) => Ok(ObjectRef { namespace: Some("default".into()), ..reference }),
            (false, Some(_), Namespaces::Defaulted) => Ok(ObjectRef { namespace: None, ..reference }),
            (true, None, Namespaces::Stated) => Err(Refusal::invalid("metadata.namespace", "is required")),
            (false, Some(_), Namespaces::Stated) => {
                Err(Refusal::invalid("metadata.namespace", "is set, and objects of this kind live in none"))
            }
            _ => Ok(reference),
        }
    }

    /// A whole document, ready to be stored.
    pub(super) fn admit(&self, kind: &Kind, mut document: Value) -> Result<Value, Refusal> {
        let Some(served) = self.get(kind) else { return Err(Refusal::NotServed(kind.clone())) };
        self.drop_nulls(kind, &mut document);
        drop_empty(&mut document["metadata"]);
        let mut problems = metadata::problems(kind, &document["metadata"]);
        if let Some(schema) = &served.schema {
            schema.prune(&mut document);
            schema.fill(&mut document);
            problems.extend(schema.violations(&document));
            problems.extend(indistinct(Shape::Root(schema), &document));
        }
        if &*kind.name == crd::DEFINITION {
            problems.extend(crd::kinds(&document).err().into_iter().flatten());
        }
        if problems.is_empty() {
            Ok(self.as_version(&document, &served.storage))
        } else {
            Err(Refusal::Invalid(problems))
        }
    }

    /// What is wrong with a document of which only some fields are stated.
    pub(super) fn check_part(&self, kind: &Kind, document: &Value) -> Result<(), Refusal> {
        let mut problems = Vec::new();
        if let Some(schema) = self.get(kind).and_then(|served| served.schema.as_ref()) {
            let unknown = schema.prune(&mut document.clone());
            problems.extend(unknown.into_iter().map(|field| Problem::at(field, "is not declared in the schema")));
            problems.extend(schema.mistyped(document));
        }
        problems.extend(indistinct(self.shape(kind), document));
        if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
    }

    /// A document as another version of its kind: with the fields that this version knows.
    pub(super) fn as_version(&self, document: &Value, kind: &Kind) -> Value {
        let mut document = document.clone();
        if document["apiVersion"] != *kind.api_version {
            document["apiVersion"] = Value::from(&*kind.api_version);
            if let Some(schema) = self.get(kind).and_then(|served| served.schema.as_ref()) {
                schema.prune(&mut document);
                schema.fill(&mut document);
            }
        }
        document
    }

    /// In metadata and in built-in kinds a null is nothing.
    pub(super) fn drop_nulls(&self, kind: &Kind, document: &mut Value) {
        let is_custom = self.get(kind).is_some_and(|served| served.schema.is_some());
        let part = if is_custom { document.get_mut("metadata") } else { Some(document) };
        if let Some(part) = part {
            drop_nulls(part);
        }
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The API server keeps no empty maps and lists in metadata.
fn drop_empty(metadata: &mut Value) {
    let is_empty = |value: &Value| {
        value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
    };
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|_, value| !is_empty(value));
    }
}

/// The lists whose elements can't be told apart, although each is to be owned by itself.
fn indistinct(shape: Shape<'_>, document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    search(shape, document, &Field::root(), &mut problems);
    problems
}

fn search(shape: Shape<'_>, value: &Value, at: &Field, problems: &mut Vec<Problem>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                search(shape.field(key), value, &at.field(key), problems);
            }
        }
        Value::Array(items) => {
            let relation = shape.relation(value);
            for (place, item) in items.iter().enumerate() {
                let at = at.element(place);
                if relation == Relation::Whole {
                } else if let Some(name) = ownership::name(&relation, item) {
                    if items[..place].iter().any(|other| ownership::name(&relation, other).as_ref() == Some(&name)) {
                        problems.push(Problem::at(at.clone(), format!("is there twice: {name}")));
                    }
                } else if let Relation::Keyed(keys) = &relation {
                    let keys: Vec<_> = keys.iter().map(|(key, _)| &**key).collect();
                    problems.push(Problem::at(
                        at.clone(),
                        format!("lacks what tells it from the others: {}", keys.join(", ")),
                    ));
                }
                search(shape.element(), item, &at, problems);
            }
        }
        _ => {}
    }
}
