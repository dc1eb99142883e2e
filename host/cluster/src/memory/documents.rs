//! A cluster in memory from a folder of YAML: every document that is wrong is reported, with its place and its field.

use std::path::{Path, PathBuf};

use mizzen_model::yaml::{self, Document, YamlError};
use serde_json::Value;

use super::problem::{Field, Problem, Refusal, not_served};
use super::{FILE_MANAGER, Memory, crd};

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not YAML, or can't be read.
    #[error(transparent)]
    Unreadable(#[from] YamlError),
    /// It is no object that the API server would take.
    #[error("{}:{line}: {object}: {}", .file.display(), sentence(.field, .message))]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line at which the document starts, from 1.
        line: usize,
        /// The object, as far as it has a name.
        object: String,
        /// The field that is wrong, e.g. `spec.ports[0].port`; empty: the document is.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

// === impl Memory ===

impl Memory {
    /// A cluster with the objects of a file or folder.
    pub fn load(path: &Path) -> Result<Self, Vec<DocumentError>> {
        let documents =
            yaml::load(path).map_err(|errors| errors.into_iter().map(DocumentError::from).collect::<Vec<_>>())?;
        Self::from_documents(&documents)
    }

    /// A cluster with the objects of one text.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<DocumentError>> {
        let documents = yaml::parse(Path::new("inline"), text).map_err(|error| vec![error.into()])?;
        Self::from_documents(&documents)
    }

    /// A cluster with the objects of these documents. CRDs among them are honoured, wherever they stand.
    pub fn from_documents(documents: &[Document]) -> Result<Self, Vec<DocumentError>> {
        Self::from_documents_with(documents, &[])
    }

    /// A cluster with the objects of these documents, and CRDs that are not among them. Where both define a kind, the former count.
    pub fn from_documents_with(documents: &[Document], crds: &[Document]) -> Result<Self, Vec<DocumentError>> {
        let memory = Self::new();
        let (own, others): (Vec<_>, Vec<_>) = documents.iter().partition(|document| is_definition(&document.value));
        let is_own =
            |crd: &&Document| own.iter().any(|own| own.value["metadata"]["name"] == crd.value["metadata"]["name"]);
        let given = crds.iter().filter(|crd| !is_own(crd));
        let errors: Vec<_> =
            given.chain(own.iter().copied()).chain(others).flat_map(|document| memory.take(document)).collect();
        if errors.is_empty() { Ok(memory) } else { Err(errors) }
    }

    fn take(&self, document: &Document) -> Vec<DocumentError> {
        let Err(refusal) = self.state().put(FILE_MANAGER, &document.value) else { return Vec::new() };
        let problems = match refusal {
            Refusal::Invalid(problems) => problems,
            Refusal::NotServed(kind) => vec![Problem::at(Field::root(), not_served(&kind))],
            other => vec![Problem::at(Field::root(), other.about(called(&document.value)).to_string())],
        };
        let wrong = |problem: Problem| DocumentError::Wrong {
            file: document.file.clone(),
            line: document.line,
            object: called(&document.value),
            field: problem.field.to_string(),
            message: problem.message,
        };
        problems.into_iter().map(wrong).collect()
    }
}

fn is_definition(document: &Value) -> bool {
    document["kind"] == crd::DEFINITION
}

/// What a document's object is called, as far as it says so.
pub(super) fn called(document: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let (kind, name) = (text(&document["kind"]), text(&document["metadata"]["name"]));
    match document["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn sentence(field: &str, message: &str) -> String {
    if field.is_empty() { message.to_owned() } else { format!("`{field}` {message}") }
}
