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

/// Reads a file, or every `.yaml`, `.yml` and `.json` file of a folder and its subfolders, in the order of their names.
/// Empty documents are left out; every file that can't be read is reported, not only the first.
pub fn load(path: &Path) -> Result<Vec<Document>, Vec<YamlError>> {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    for file in files(path).map_err(|error| vec![error])? {
        match std::fs::read_to_string(&file) {
            Ok(text) => match parse(&file, &text) {
                Ok(found) => documents.extend(found),
                Err(error) => errors.push(error),
            },
            Err(source) => errors.push(YamlError::Read { file, source }),
        }
    }
    if errors.is_empty() { Ok(documents) } else { Err(errors) }
}

/// Parses the documents of one file's text. A `List` of objects counts as its items.
pub fn parse(file: &Path, text: &str) -> Result<Vec<Document>, YamlError> {
    let mut documents = Vec::new();
    for (first, text) in split(text) {
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
        match value {
            Value::Null => {}
            Value::Object(mut map)
                if map.get("kind").is_some_and(|kind| kind == "List") && map.contains_key("items") =>
            {
                let lines = Lines::of(&text, first, "");
                if let Some(Value::Array(items)) = map.remove("items") {
                    let item = |(at, value)| {
                        let within = format!("items[{at}]");
                        document(lines.line(&within), within, value)
                    };
                    documents.extend(items.into_iter().enumerate().map(item));
                }
            }
            value => documents.push(document(first, String::new(), value)),
        }
    }
    Ok(documents)
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

fn files(path: &Path) -> Result<Vec<PathBuf>, YamlError> {
    let fail = |source| YamlError::Read { file: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = std::fs::read_dir(path)
        .map_err(fail)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(fail)?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let yaml = entry.extension().is_some_and(|end| end == "yaml" || end == "yml" || end == "json");
        if entry.is_dir() && !hidden {
            found.extend(files(&entry)?);
        } else if yaml && !hidden {
            found.push(entry);
        }
    }
    Ok(found)
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
mod tests {
    use super::*;

    #[test]
    fn each_document_knows_its_first_line() {
        let text = "# a\n---\na: 1\n---\n# nothing\n---\nb: 2\n";
        let lines: Vec<_> =
            parse(Path::new("x.yaml"), text).unwrap().into_iter().map(|d| (d.line, d.value.to_string())).collect();
        assert_eq!(lines, [(3, r#"{"a":1}"#.to_owned()), (7, r#"{"b":2}"#.to_owned())]);
    }

    #[test]
    fn bad_yaml_is_reported_with_its_line_in_the_file() {
        let error = parse(Path::new("x.yaml"), "a: 1\n---\nb: 2\nc: [\n").unwrap_err();
        assert!(matches!(error, YamlError::Syntax { line, .. } if line >= 4), "{error}");
    }

    #[test]
    fn a_list_counts_as_its_items() {
        let documents = parse(Path::new("x.yaml"), "kind: List\nitems: [{a: 1}, {b: 2}]\n").unwrap();
        assert_eq!(documents.len(), 2);
    }

    #[test]
    fn each_item_of_a_list_knows_its_lines_in_the_file() {
        let text = "a: 1\n---\nkind: List\nitems:\n- metadata:\n    name: x\n- kind: Y\n  spec: {a: 1}\n";
        let documents = parse(Path::new("x.yaml"), text).unwrap();
        assert_eq!(documents.iter().map(|document| document.line).collect::<Vec<_>>(), [1, 5, 7]);
        assert_eq!((documents[1].lines().line("metadata.name"), documents[2].lines().line("spec.a")), (6, 8));
        assert_eq!(documents[2].lines().line("status"), 7);
    }

    #[test]
    fn a_document_may_begin_on_the_line_of_its_marker() {
        let documents = parse(Path::new("x.yaml"), "--- {a: 1}\n--- # nothing\nb: 2\n").unwrap();
        let found: Vec<_> = documents.iter().map(|d| (d.line, d.value.to_string())).collect();
        assert_eq!(found, [(1, r#"{"a":1}"#.to_owned()), (3, r#"{"b":2}"#.to_owned())]);
    }
}
