//! YAML documents from files and folders, each with its file and line.

mod compose;
mod error;
mod list;
mod scalar;
mod split;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use self::compose::compose;
use self::error::At;
pub use self::error::{Encoding, SyntaxError, YamlError};
use self::split::{Part, split};
use crate::lines::Lines;

/// One document of a YAML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The file.
    pub file: PathBuf,
    /// The line of the file at which the document starts, from 1; for an item of a list, the line of
    /// the item.
    pub line: usize,
    /// The content.
    pub value: Value,
    source: Source,
}

/// The text that a document was read from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Source {
    text: Arc<str>,
    /// The line of the file at which the text starts.
    first: usize,
    /// The path of the document in the text; empty: it is the whole text.
    within: String,
}

/// Reads a file, or every `.yaml`, `.yml` and `.json` file of a folder and its subfolders, in the
/// order of their names. Empty documents are left out.
///
/// # Errors
/// Everything that can't be read.
pub fn load(path: &Path) -> Result<Vec<Document>, Vec<YamlError>> {
    let (documents, errors) = survey(path);
    if errors.is_empty() { Ok(documents) } else { Err(errors) }
}

/// As [`load`], but returns the documents that can be read beside the errors.
pub fn survey(path: &Path) -> (Vec<Document>, Vec<YamlError>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    collect(path, &mut files, &mut errors);
    let mut documents = Vec::new();
    for file in files {
        let parts = match read(&file) {
            Ok(text) => split(&text),
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for part in parts {
            match read_part(&file, part) {
                Ok(found) => documents.extend(found),
                Err(wrong) => errors.extend(wrong),
            }
        }
    }
    (documents, errors)
}

/// The text of a file, without a byte order mark.
fn read(file: &Path) -> Result<String, YamlError> {
    let bytes = std::fs::read(file).map_err(|source| YamlError::Read { file: file.to_owned(), source })?;
    // A document in UTF-16 begins with a byte order mark, or with an ASCII character, one of whose
    // two bytes is zero.
    let encoding = match bytes[..] {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Encoding::Utf16,
        _ => Encoding::Unknown,
    };
    match String::from_utf8(bytes) {
        Ok(text) if encoding == Encoding::Unknown => match text.strip_prefix('\u{feff}') {
            Some(rest) => Ok(rest.to_owned()),
            None => Ok(text),
        },
        _ => Err(YamlError::Encoding { file: file.to_owned(), encoding }),
    }
}

/// Parses the documents in the text of a file. A list of objects counts as its items.
///
/// # Errors
/// The first error.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Document>, YamlError> {
    let mut documents = Vec::new();
    for part in split(text) {
        match read_part(file, part) {
            Ok(found) => documents.extend(found),
            Err(errors) => return errors.into_iter().next().map_or(Ok(documents), Err),
        }
    }
    Ok(documents)
}

/// Parses the text of one document of a file: no document if it is empty, several if it is a list.
fn read_part(file: &Path, part: Part) -> Result<Vec<Document>, Vec<YamlError>> {
    let Part { first, text } = part;
    let value = compose(&text).or_else(|errors| json(&text).ok_or(errors)).map_err(|errors| {
        let wrong = |At { line, error }| YamlError::Syntax { file: file.to_owned(), line: first + line - 1, error };
        errors.into_iter().map(wrong).collect::<Vec<_>>()
    })?;
    if value.is_null() {
        return Ok(Vec::new());
    }
    let items = list::unfold(value);
    let text: Arc<str> = text.into();
    let is_whole = items.iter().all(|item| item.within.is_empty());
    let lines = if is_whole { Lines::default() } else { Lines::of(&text, first, "") };
    let document = |item: list::Item| {
        let line = if item.within.is_empty() { first } else { lines.line(&item.within) };
        let source = Source { text: Arc::clone(&text), first, within: item.within };
        Document { file: file.to_owned(), line, value: item.value, source }
    };
    Ok(items.into_iter().map(document).collect())
}

/// The value of a text of JSON that is not YAML: escapes of JSON can be halves of a character.
fn json(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

// === impl Document ===

impl Document {
    /// A document that is not from a file.
    pub fn of(value: Value) -> Self {
        Self { file: PathBuf::new(), line: 1, value, source: Source { first: 1, ..Source::default() } }
    }

    /// The lines of its fields in the file.
    pub fn lines(&self) -> Lines {
        Lines::of(&self.source.text, self.source.first, &self.source.within)
    }
}

/// Parses one YAML document, within limits on nesting and aliases.
///
/// # Errors
/// When it is not valid YAML.
pub fn value(text: &str) -> Result<Value, SyntaxError> {
    compose(text)
        .map_err(|errors| errors.into_iter().next().map_or_else(|| SyntaxError::Other(String::new()), |at| at.error))
}

/// Collects a file, or the files of a folder in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>, errors: &mut Vec<YamlError>) {
    match entries(path) {
        Ok(None) => files.push(path.to_owned()),
        Ok(Some(entries)) => {
            for entry in entries {
                let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
                let yaml = entry.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
                if !hidden && (yaml || entry.is_dir()) {
                    collect(&entry, files, errors);
                }
            }
        }
        Err(source) => errors.push(YamlError::Read { file: path.to_owned(), source }),
    }
}

/// The entries of a folder, in order; `None`: it is a file.
fn entries(path: &Path) -> std::io::Result<Option<Vec<PathBuf>>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(None);
    }
    let mut entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(Some(entries))
}

#[cfg(test)]
mod tests;
