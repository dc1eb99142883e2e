//! What a component says of itself, parsed once; refused here if it makes no sense.

use std::collections::BTreeMap;

use mizzen_model as model;
use mizzen_model::{Access, Fields};

use crate::bindings::exports::mizzen::plugin::reconciler as wit;
use crate::bindings::mizzen::plugin::types;
use crate::convert;
use crate::error::LoadError;
use crate::text::line;

/// Bytes of a name, and of a sentence for people: stops a component from filling screens and statuses before anybody trusts it.
const NAME: usize = 63;
const SENTENCE: usize = 512;

/// Needs and field sets, which are looked through at every read.
const NEEDS: usize = 256;

/// A description, with its names, field paths and schema parsed; or which field makes no sense, and why.
pub(crate) fn description(description: wit::Description) -> Result<model::Description, LoadError> {
    Ok(model::Description {
        name: name("name", description.name)?,
        version: name("version", description.version)?,
        summary: line(description.summary, SENTENCE),
        subject: kind("subject", &description.subject)?,
        config_schema: schema(&description.config_schema).map_err(|why| wrong("config-schema", why))?,
        needs: needs(description.needs)?,
        field_sets: field_sets(description.field_sets)?,
        http: sentences("http", description.http)?,
        credentials: names("credentials", description.credentials)?,
        renderers: names("renderers", description.renderers)?,
        finalizes: description.finalizes,
    })
}

fn needs(needs: Vec<wit::Need>) -> Result<Vec<model::Need>, LoadError> {
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
            why: line(need.why, SENTENCE),
        })
    };
    needs.into_iter().enumerate().map(need).collect()
}

fn field_sets(sets: Vec<wit::FieldSet>) -> Result<BTreeMap<String, model::FieldSet>, LoadError> {
    few("field-sets", sets.len())?;
    let mut parsed = BTreeMap::new();
    for (at, set) in sets.into_iter().enumerate() {
        let name = name(&format!("field-sets[{at}].name"), set.name)?;
        let field = format!("field-sets.{name}");
        let fields = Fields::parse(&set.paths).map_err(|error| wrong(&field, error.to_string()))?;
        let kind = kind(&field, &set.kind)?;
        if parsed.insert(name, model::FieldSet { kind, fields }).is_some() {
            return Err(wrong(&field, "is declared twice".into()));
        }
    }
    Ok(parsed)
}

/// Whether the configuration fits it, and whether it is a JSON Schema at all, is the catalog's to find out.
fn schema(text: &str) -> Result<serde_json::Value, String> {
    let schema = convert::json(text)?;
    if schema.is_object() || schema.is_boolean() { Ok(schema) } else { Err("not a JSON Schema".into()) }
}

fn names(field: &str, names: Vec<String>) -> Result<Vec<String>, LoadError> {
    few(field, names.len())?;
    names.into_iter().enumerate().map(|(at, text)| name(&format!("{field}[{at}]"), text)).collect()
}

fn sentences(field: &str, sentences: Vec<String>) -> Result<Vec<String>, LoadError> {
    few(field, sentences.len())?;
    Ok(sentences.into_iter().map(|text| line(text, SENTENCE)).collect())
}

fn name(field: &str, text: String) -> Result<String, LoadError> {
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    if text.is_empty() {
        Err(wrong(field, "is empty".into()))
    } else if text.len() > NAME || !text.chars().all(well_formed) {
        let text = line(text, NAME);
        Err(wrong(field, format!("`{text}` is not at most {NAME} letters, digits, `-`, `_`, `.` and `+`")))
    } else {
        Ok(text)
    }
}

fn kind(field: &str, kind: &types::Kind) -> Result<model::Kind, LoadError> {
    let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/');
    for (part, text) in [("api-version", &kind.api_version), ("name", &kind.name)] {
        if text.is_empty() || text.len() > 316 || !text.chars().all(well_formed) {
            let text = line(text.clone(), NAME);
            return Err(wrong(field, format!("`{text}` is not the {part} of a kind")));
        }
    }
    Ok(convert::kind(kind))
}

fn few(field: &str, items: usize) -> Result<(), LoadError> {
    if items > NEEDS { Err(wrong(field, format!("{items} of them; {NEEDS} are the most"))) } else { Ok(()) }
}

fn wrong(field: &str, message: String) -> LoadError {
    LoadError::Description { field: field.to_owned(), message }
}

#[cfg(test)]
mod tests;
