//! Loads a cluster in memory from YAML: every problem is reported, with file, line and field.

use std::path::{Path, PathBuf};

use mizzen_model::yaml::{self, Document, YamlError};
use mizzen_model::{Lines, Object};
use serde_json::Value;

use super::crd;
use super::handle::Memory;
use super::problem::{Field, Problem, Refusal, not_served, object_name};
use crate::error::ReadError;

/// The field manager of documents from files, unless their `metadata.managedFields` name others. As
/// with client-side `kubectl apply`, its fields count as edited, not as applied.
const FILE_MANAGER: &str = "file";

/// What is wrong with a document.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It can't be read, or is not valid YAML.
    #[error(transparent)]
    Unreadable(#[from] YamlError),
    /// The object that it would replace can't be read.
    #[error("{}: {object}: {source}", .file.display())]
    Unread {
        /// The file.
        file: PathBuf,
        /// The object: kind, namespace and name.
        object: String,
        /// Why it can't be read.
        #[source]
        source: ReadError,
    },
    /// An API server would refuse the object.
    #[error("{}:{line}: {object}: {}", .file.display(), sentence(.field, .message))]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The line of the field, from 1; if the document does not have it, of its closest ancestor.
        line: usize,
        /// The object: kind, namespace and name, as far as the document has them.
        object: String,
        /// The field that is wrong, e.g. `spec.ports[0].port`; empty: the document as a whole.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

/// What an API server would change in a document without an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {object}: `{field}` is not declared in the schema, and is dropped; remove it, or mend its name",
    .file.display())]
pub struct DocumentWarning {
    /// The file.
    pub file: PathBuf,
    /// The line of the field, from 1.
    pub line: usize,
    /// The object: kind, namespace and name.
    pub object: String,
    /// The field that is dropped.
    pub field: String,
}

/// A cluster that was loaded from documents.
pub struct Loaded {
    /// The cluster.
    pub memory: Memory,
    /// What was dropped from the documents.
    pub warnings: Vec<DocumentWarning>,
}

// === impl Memory ===

impl Memory {
    /// A cluster with the objects of a file or folder.
    ///
    /// # Errors
    /// Every problem of every document.
    pub fn load(path: &Path) -> Result<Self, Vec<DocumentError>> {
        let documents =
            yaml::load(path).map_err(|errors| errors.into_iter().map(DocumentError::from).collect::<Vec<_>>())?;
        Self::from_documents(&documents)
    }

    /// A cluster with the objects of a text.
    ///
    /// # Errors
    /// Every problem of every document.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<DocumentError>> {
        let documents = yaml::parse(Path::new("inline"), text).map_err(|error| vec![error.into()])?;
        Self::from_documents(&documents)
    }

    /// A cluster with the objects of these documents. CRDs among them define their kinds, whatever
    /// the order.
    ///
    /// # Errors
    /// Every problem of every document.
    pub fn from_documents(documents: &[Document]) -> Result<Self, Vec<DocumentError>> {
        Self::from_documents_with(documents, &[])
    }

    /// A cluster with the objects of these documents, and further CRDs. Where both define a kind,
    /// `documents` win.
    ///
    /// # Errors
    /// Every problem of every document.
    pub fn from_documents_with(documents: &[Document], crds: &[Document]) -> Result<Self, Vec<DocumentError>> {
        let memory = Self::new();
        let (own, others): (Vec<_>, Vec<_>) = documents.iter().partition(|document| is_definition(&document.value));
        let is_own =
            |crd: &&Document| own.iter().any(|own| own.value["metadata"]["name"] == crd.value["metadata"]["name"]);
        let given = crds.iter().filter(|crd| !is_own(crd));
        let errors: Vec<_> =
            given.chain(own.iter().copied()).chain(others).flat_map(|document| memory.insert(document)).collect();
        if errors.is_empty() { Ok(memory) } else { Err(errors) }
    }

    /// As [`Memory::from_documents`], and returns what was dropped.
    ///
    /// # Errors
    /// Every problem of every document.
    pub fn load_documents(documents: &[Document]) -> Result<Loaded, Vec<DocumentError>> {
        let memory = Self::from_documents(documents)?;
        let warnings = documents.iter().flat_map(|document| memory.dropped(document)).collect();
        Ok(Loaded { memory, warnings })
    }

    /// The fields of a document that are dropped.
    fn dropped(&self, document: &Document) -> Vec<DocumentWarning> {
        let Ok(reference) = Object::reference_of(&document.value) else { return Vec::new() };
        let fields = self.state().kinds.unknown_fields(&reference.kind, &document.value);
        let lines = if fields.is_empty() { Lines::default() } else { document.lines() };
        let warning = |field: Field| DocumentWarning {
            file: document.file.clone(),
            line: lines.line(&field.in_lines()),
            object: object_name(&document.value),
            field: field.to_string(),
        };
        fields.into_iter().map(warning).collect()
    }

    /// Puts a document of a file; returns everything that is wrong with it.
    pub(crate) fn insert(&self, document: &Document) -> Vec<DocumentError> {
        let Err(refusal) = self.state().put(FILE_MANAGER, &document.value) else { return Vec::new() };
        let problems = match refusal {
            Refusal::Invalid(problems) => problems,
            Refusal::NotServed(kind) => vec![Problem::at(Field::root(), not_served(&kind))],
            other => vec![Problem::at(Field::root(), other.about(object_name(&document.value)).to_string())],
        };
        let lines = document.lines();
        let wrong = |problem: Problem| DocumentError::Wrong {
            file: document.file.clone(),
            line: lines.line(&problem.field.in_lines()),
            object: object_name(&document.value),
            field: problem.field.to_string(),
            message: problem.message,
        };
        problems.into_iter().map(wrong).collect()
    }
}

fn is_definition(document: &Value) -> bool {
    document["kind"] == crd::DEFINITION
}

fn sentence(field: &str, message: &str) -> String {
    if field.is_empty() { message.to_owned() } else { format!("`{field}` {message}") }
}
