//! A document with its source: what problems are about.

use std::fmt;

use mizzen_model::yaml::Document;

use crate::problem::Problem;
use crate::reconciler::Origin;

/// Where the documents of a configuration come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Files: problems have a file and a line, and components may be in any folder.
    Files,
    /// Objects of the cluster.
    Cluster,
}

/// A document with its source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) document: &'a Document,
    pub(crate) source: Source,
}

impl<'a> Site<'a> {
    pub(crate) fn new(document: &'a Document, source: Source) -> Self {
        Self { document, source }
    }

    /// `metadata.name`; empty if the document has none.
    pub(crate) fn name(&self) -> &'a str {
        self.document.value["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// `metadata.generation`; 0 if the document has none.
    pub(crate) fn generation(&self) -> i64 {
        self.document.value["metadata"]["generation"].as_i64().unwrap_or(0)
    }

    pub(crate) fn origin(&self) -> Origin {
        let Document { file, line, .. } = self.document;
        match self.source {
            Source::Files => Origin::File { file: file.clone(), line: *line, lines: self.document.lines() },
            Source::Cluster => Origin::Cluster,
        }
    }

    /// A problem at a field, with the field's line, or the line of its closest ancestor.
    pub(crate) fn problem(&self, field: &str, message: impl Into<String>) -> Problem {
        let kind = self.document.value["kind"].as_str().unwrap_or_default();
        self.origin().problem(kind, self.name(), field, message.into())
    }
}

impl fmt::Display for Site<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.origin().fmt(f)
    }
}
