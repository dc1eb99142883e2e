//! Folders and files of YAML documents, each with the place it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::Lines;

/// One document of a YAML file.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The file.
    pub file: PathBuf,
    /// The line of the file at which the document starts, from 1; of an item of a `List`, the line of the item.
    pub line: usize,
    /// What it says.
    pub value: Value,
    source: Source,
}

/// What a document was read from.
#[derive(Clone, Debug, Default, PartialEq)]
struct Source {
    text: Arc<str>,
    /// The line of the file at which the text starts.
    first: usize,
    /// Where in the text the document is; empty: it is all of it.
    within: String,
}

/// Why YAML could not be read.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The file system said no.
    #[error("{}: {source}", .file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not YAML.
    #[error("{}:{line}: {message}", .file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

/// As [`survey`], for whoever can do nothing with a part of it.
pub fn load(path: &Path) -> Result<Vec<Document>, Vec<YamlError>> {
    let (documents, errors) = survey(path);
    if errors.is_empty() { Ok(documents) } else { Err(errors) }
}

/// Reads a file, or every `.yaml`, `.yml` and `.json` file of a folder and its subfolders, in the order of their names: what can be
/// read, and all that can't. Empty documents are left out.
pub fn survey(path: &Path) -> (Vec<Document>, Vec<YamlError>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    collect(path, &mut files, &mut errors);
    let mut documents = Vec::new();
    for file in files {
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                for (first, text) in split(&text) {
                    match document(&file, first, text) {
                        Ok(found) => documents.extend(found),
                        Err(error) => errors.push(error),
                    }
                }
            }
            Err(source) => errors.push(YamlError::Read { file, source }),
        }
    }
    (documents, errors)
}

/// Parses the documents of one file's text. A `List` of objects counts as its items.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Document>, YamlError> {
    let parsed: Result<Vec<_>, _> = split(text).into_iter().map(|(first, text)| document(file, first, text)).collect();
    Ok(parsed?.into_iter().flatten().collect())
}

/// Parses one document, whose text begins at a line of a file: none where it says nothing, several where it is a `List`.
fn document(file: &Path, first: usize, text: String) -> Result<Vec<Document>, YamlError> {
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| {
        let within = error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
        YamlError::Syntax {
            file: file.to_owned(),
            line: first + within.max(1) - 1,
            message: first_line(&error.to_string()),
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
    /// A document that stands in no file.
    pub fn of(value: Value) -> Self {
        Self { file: PathBuf::new(), line: 1, value, source: Source { first: 1, ..Source::default() } }
    }

    /// Where in its file each of its fields stands.
    pub fn lines(&self) -> Lines {
        Lines::of(&self.source.text, self.source.first, &self.source.within)
    }
}

/// What one YAML document says, within the parser's bounds on nesting and aliases; the error is one line.
pub fn value(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| first_line(&error.to_string()))
}

/// A file, or the files of a folder in the order of their names; and what can't be looked into.
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

/// What is in a folder, in order; `None`: it is a file.
fn entries(path: &Path) -> std::io::Result<Option<Vec<PathBuf>>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(None);
    }
    let mut entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(Some(entries))
}

/// Splits at the document markers, which YAML only knows at the start of a line.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (at, line) in text.lines().enumerate() {
        // A document may begin on the line of its marker.
        let beside = line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if let Some(beside) = beside {
            let says_nothing = beside.trim().is_empty() || beside.trim_start().starts_with('#');
            let (first, text) = if says_nothing { (at + 2, String::new()) } else { (at + 1, format!("{beside}\n")) };
            documents.push((first, text));
        } else if let Some((_, document)) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let says_something = |text: &str| {
        text.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#') && line != "...")
    };
    documents.retain(|(_, text)| says_something(text));
    documents
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
