//! The description that a component's `describe` returns: parsed once, and refused if a field is invalid.

use std::collections::BTreeMap;

use mizzen_model as model;
use mizzen_model::{Access, Fields};

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::types;
use crate::convert;
use crate::limits::{DECLARATIONS, NAME, SUMMARY};
use crate::text::line;

/// A field of a description that is invalid.
#[derive(Debug, thiserror::Error)]
#[error("its description is invalid: `{field}`: {fault}")]
pub struct DescriptionError {
    field: String,
    fault: Fault,
}

/// What is wrong with a field.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("is empty")]
    Empty,
    #[error("`{0}` does not consist of at most {NAME} letters, digits, `-`, `_`, `.` and `+`")]
    Name(String),
    #[error(transparent)]
    Kind(#[from] model::NameError),
    #[error("is declared twice")]
    Duplicate,
    #[error("has {given} entries; at most {DECLARATIONS} are allowed")]
    TooMany { given: usize },
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("not a JSON Schema")]
    NotASchema,
    #[error("{0}")]
    Fields(String),
}

/// Parses a description with its names, field paths and schema.
pub(crate) fn description(description: wit::Description) -> Result<model::Description, DescriptionError> {
    Ok(model::Description {
        name: name("name", description.name)?,
        version: name("version", description.version)?,
        summary: line(description.summary, SUMMARY),
        subject: kind("subject", &description.subject)?,
        config_schema: schema(&description.config_schema).map_err(|fault| wrong("config-schema", fault))?,
        needs: needs(description.needs)?,
        field_sets: field_sets(description.field_sets)?,
        http: sentences("http", description.http)?,
        credentials: names("credentials", description.credentials)?,
        renderers: names("renderers", description.renderers)?,
        finalizes: description.finalizes,
    })
}

fn needs(needs: Vec<wit::Need>) -> Result<Vec<model::Need>, DescriptionError> {
    few("needs", needs.len())?;
    let need = |(at, need): (usize, wit::Need)| {
        Ok(model::Need {
            kind: kind(&format!("needs[{at}]"), &need.kind)?,
            access: match need.access {
                wit::Access::Read => Access::Read,
                wit::Access::Apply => Access::Apply,
                wit::Access::Patch => Access::Patch,
                wit::Access::Delete => Access::Delete,
            },
            why: line(need.why, SUMMARY),
        })
    };
    needs.into_iter().enumerate().map(need).collect()
}

fn field_sets(sets: Vec<wit::FieldSet>) -> Result<BTreeMap<String, model::FieldSet>, DescriptionError> {
    few("field-sets", sets.len())?;
    let mut parsed = BTreeMap::new();
    for (at, set) in sets.into_iter().enumerate() {
        let name = name(&format!("field-sets[{at}].name"), set.name)?;
        let field = format!("field-sets.{name}");
        let fields = Fields::parse(&set.paths).map_err(|error| wrong(&field, Fault::Fields(error.to_string())))?;
        let kind = kind(&field, &set.kind)?;
        if parsed.insert(name, model::FieldSet { kind, fields }).is_some() {
            return Err(wrong(&field, Fault::Duplicate));
        }
    }
    Ok(parsed)
}

/// Parses the schema. Whether it is a valid JSON Schema, and the configuration fits it, is checked by the catalog.
fn schema(text: &str) -> Result<serde_json::Value, Fault> {
    let schema = convert::json(text)?;
    if schema.is_object() || schema.is_boolean() { Ok(schema) } else { Err(Fault::NotASchema) }
}

fn names(field: &str, names: Vec<String>) -> Result<Vec<String>, DescriptionError> {
    few(field, names.len())?;
    names.into_iter().enumerate().map(|(at, text)| name(&format!("{field}[{at}]"), text)).collect()
}

fn sentences(field: &str, sentences: Vec<String>) -> Result<Vec<String>, DescriptionError> {
    few(field, sentences.len())?;
    Ok(sentences.into_iter().map(|text| line(text, SUMMARY)).collect())
}

fn name(field: &str, text: String) -> Result<String, DescriptionError> {
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    if text.is_empty() {
        Err(wrong(field, Fault::Empty))
    } else if text.len() > NAME || !text.chars().all(well_formed) {
        Err(wrong(field, Fault::Name(line(text, NAME))))
    } else {
        Ok(text)
    }
}

fn kind(field: &str, kind: &types::Kind) -> Result<model::Kind, DescriptionError> {
    convert::kind(kind).map_err(|error| wrong(field, error.into()))
}

fn few(field: &str, given: usize) -> Result<(), DescriptionError> {
    if given > DECLARATIONS { Err(wrong(field, Fault::TooMany { given })) } else { Ok(()) }
}

fn wrong(field: &str, fault: Fault) -> DescriptionError {
    DescriptionError { field: field.to_owned(), fault }
}

#[cfg(test)]
mod tests;
