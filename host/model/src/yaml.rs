//! YAML documents from files and folders, each with its file and line.

mod error;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

pub use self::error::{Encoding, SyntaxError, YamlError};
use crate::lines::Lines;

/// One document of a YAML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The file.
    pub file: PathBuf,
    /// The line of the file at which the document starts, from 1; for an item of a `List`, the line
    /// of the item.
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
        for (first, text) in parts {
            match document(&file, first, text) {
                Ok(found) => documents.extend(found),
                Err(error) => errors.push(error),
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

/// Parses the documents in the text of a file. A `List` of objects counts as its items.
///
/// # Errors
/// The first syntax error.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Document>, YamlError> {
    let parsed: Result<Vec<_>, _> = split(text).into_iter().map(|(first, text)| document(file, first, text)).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

/// Parses the text of one document, which starts at a line of a file: no document if it is empty,
/// several if it is a `List`.
fn document(file: &Path, first: usize, text: String) -> Result<Vec<Document>, YamlError> {
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| {
        let within = error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
        YamlError::Syntax {
            file: file.to_owned(),
            line: first + within.max(1) - 1,
            error: SyntaxError::without_place(&error),
        }
    })?;
    let text: Arc<str> = text.into();
    let document = |line, within: String, value| {
        let source = Source { text: Arc::clone(&text), first, within };
        Document { file: file.to_owned(), line, value, source }
    };
    Ok(match value {
        Value::Null => Vec::new(),
        Value::Object(mut map) if map.get("kind").is_some_and(|kind| kind == "List") && map.contains_key("items") => {
            let lines = Lines::of(&text, first, "");
            let items =
                map.remove("items").and_then(|items| if let Value::Array(items) = items { Some(items) } else { None });
            let item = |(at, value)| {
                let within = format!("items[{at}]");
                document(lines.line(&within), within, value)
            };
            items.into_iter().flatten().enumerate().map(item).collect()
        }
        value => vec![document(first, String::new(), value)],
    })
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

/// Parses one YAML document, within the parser's limits on nesting and aliases.
///
/// # Errors
/// When it is not valid YAML.
pub fn value(text: &str) -> Result<Value, SyntaxError> {
    serde_saphyr::from_str(text).map_err(|error| SyntaxError::of(&error))
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

/// Splits at the document markers, which are markers only at the start of a line. Returns the first
/// line of each document.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (at, line) in text.lines().enumerate() {
        // A document may start on the line of its marker.
        let beside = line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if let Some(beside) = beside {
            let is_empty = beside.trim().is_empty() || beside.trim_start().starts_with('#');
            let (first, text) = if is_empty { (at + 2, String::new()) } else { (at + 1, format!("{beside}\n")) };
            documents.push((first, text));
        } else if let Some((_, document)) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let has_content = |text: &str| {
        text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#') && line != "...")
    };
    documents.retain(|(_, text)| has_content(text));
    documents
}

#[cfg(test)]
mod tests;
