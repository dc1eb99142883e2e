//! Admission: a document is identified, pruned, completed with defaults, checked and converted to
//! the stored version before it is stored.

use mizzen_model::{Kind, Object, ObjectRef};
use serde_json::Value;

use super::kinds::{Kinds, Namespaces};
use super::ownership;
use super::problem::{Field, Problem, Refusal};
use super::shape::{Relation, Shape};
use super::{content, crd, metadata, nulls};

// === impl Kinds ===

impl Kinds {
    /// The reference of the object in a document.
    pub(super) fn reference(&self, document: &Value, namespaces: Namespaces) -> Result<ObjectRef, Refusal> {
        let reference = Object::reference_of(document).map_err(|error| Refusal::invalid("", error.to_string()))?;
        let Some(served) = self.get(&reference.kind) else { return Err(Refusal::NotServed(reference.kind)) };
        match (served.facts.namespaced, &reference.namespace, namespaces) {
            (true, None, Namespaces::Defaulted) => Ok(ObjectRef { namespace: Some("default".into()), ..reference }),
            (false, Some(_), Namespaces::Defaulted) => Ok(ObjectRef { namespace: None, ..reference }),
            (true, None, Namespaces::Stated) => Err(Refusal::invalid("metadata.namespace", "is required")),
            (false, Some(_), Namespaces::Stated) => {
                Err(Refusal::invalid("metadata.namespace", "must not be set: objects of this kind are cluster-scoped"))
            }
            _ => Ok(reference),
        }
    }

    /// Returns a whole document as it is stored.
    pub(super) fn admit(&self, kind: &Kind, mut document: Value) -> Result<Value, Refusal> {
        let Some(served) = self.get(kind) else { return Err(Refusal::NotServed(kind.clone())) };
        self.drop_nulls(kind, &mut document);
        drop_empty(&mut document["metadata"]);
        let mut problems = metadata::problems(kind, &document["metadata"]);
        problems.extend(content::problems(kind, &document));
        if let Some(schema) = &served.schema {
            schema.prune(&mut document);
            schema.fill(&mut document);
            problems.extend(schema.violations(&document));
            problems.extend(ambiguous(Shape::Root(schema), &document));
        } else {
            problems.extend(nulls::elements(&kind.name, &document));
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

    /// Checks a document that has only some of the fields.
    pub(super) fn check_part(&self, kind: &Kind, document: &Value) -> Result<(), Refusal> {
        let mut problems = Vec::new();
        if let Some(schema) = self.get(kind).and_then(|served| served.schema.as_ref()) {
            let unknown = schema.prune(&mut document.clone());
            problems.extend(unknown.into_iter().map(|field| Problem::at(field, "is not declared in the schema")));
            problems.extend(schema.mistyped(document));
        }
        problems.extend(ambiguous(self.shape(kind), document));
        if problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(problems)) }
    }

    /// Converts a document to another version of its kind: to the fields of that version.
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

    /// Removes the nulls that mean nothing.
    pub(super) fn drop_nulls(&self, kind: &Kind, document: &mut Value) {
        match self.get(kind).and_then(|served| served.schema.as_ref()) {
            Some(schema) => {
                if let Some(metadata) = document.get_mut("metadata") {
                    nulls::drop_all(metadata);
                }
                nulls::drop_declared(schema.root(), document);
            }
            None => nulls::drop_all(document),
        }
    }

    /// As [`drop_nulls`](Self::drop_nulls), for a document that is not applied: a null in a map of
    /// texts or quantities is the empty value.
    pub(super) fn decode_nulls(&self, kind: &Kind, document: &mut Value) {
        match self.get(kind).and_then(|served| served.schema.as_ref()) {
            Some(_) => document.get_mut("metadata").into_iter().for_each(nulls::decode),
            None => nulls::decode(document),
        }
        self.drop_nulls(kind, document);
    }

    /// The fields of a document that the schema of its kind does not declare. They are dropped.
    pub(super) fn unknown_fields(&self, kind: &Kind, document: &Value) -> Vec<Field> {
        let schema = self.get(kind).and_then(|served| served.schema.as_ref());
        schema.map(|schema| schema.prune(&mut document.clone())).unwrap_or_default()
    }
}

/// Removes empty maps and lists from metadata, as the API server does.
fn drop_empty(metadata: &mut Value) {
    let is_empty = |value: &Value| {
        value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
    };
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.retain(|_, value| !is_empty(value));
    }
}

/// The list elements that can't be distinguished, although each is owned by itself.
fn ambiguous(shape: Shape<'_>, document: &Value) -> Vec<Problem> {
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
                problems.extend(ambiguity(&relation, items, place).map(|message| Problem::at(at.clone(), message)));
                search(shape.element(), item, &at, problems);
            }
        }
        _ => {}
    }
}

/// Why the element at a place of a list can't be distinguished from the others, if so.
fn ambiguity(relation: &Relation, items: &[Value], place: usize) -> Option<String> {
    if *relation == Relation::Whole {
        return None;
    }
    let Some(name) = ownership::name(relation, &items[place]) else {
        let Relation::Keyed(keys) = relation else { return None };
        let keys: Vec<_> = keys.iter().map(|(key, _)| &**key).collect();
        return Some(format!("lacks the fields that identify the element: {}", keys.join(", ")));
    };
    let is_same = |other: &Value| ownership::name(relation, other).as_ref() == Some(&name);
    items[..place].iter().any(is_same).then(|| format!("is a duplicate: {name}"))
}
