//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of the document, e.g. `Reconciler`.
    pub kind: String,
    /// The name of the document; empty if it has none.
    pub name: String,
    /// The file; `None`: an object of the cluster.
    pub file: Option<PathBuf>,
    /// The line of the field, from 1.
    pub line: Option<usize>,
    /// The field, e.g. `spec.after[1]`.
    pub field: String,
    /// What is wrong with the field, and how to fix it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, _) => write!(f, "{} {}: ", self.kind, self.name)?,
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}
