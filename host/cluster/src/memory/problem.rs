//! What is wrong with a document, field by field, and why a write is refused.

use std::fmt;

use mizzen_model::Kind;
use serde_json::Value;

use crate::error::{ForeignField, WriteError};

/// The path of a field: `spec.ports[0].name`; empty for the whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Field(String);

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: Field,
    pub(super) message: String,
}

/// Why a write is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its kind is not served.
    NotServed(Kind),
    /// The object does not exist.
    Absent,
    /// It is about an object with another uid, or an earlier version of the object.
    Stale(String),
    /// The document is invalid.
    Invalid(Vec<Problem>),
    /// Other field managers own fields that it would change.
    Conflict {
        /// The field manager of the refused apply.
        manager: String,
        /// The contested fields and their owners.
        fields: Vec<ForeignField>,
    },
}

// === impl Field ===

impl Field {
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// The field at a dotted path.
    pub(super) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The field at a JSON pointer.
    pub(super) fn of_pointer(pointer: &str) -> Self {
        pointer.split('/').skip(1).fold(Self::root(), |at, step| match step.parse() {
            Ok(place) => at.element(place),
            Err(_) => at.field(&step.replace("~1", "/").replace("~0", "~")),
        })
    }

    pub(super) fn field(&self, name: &str) -> Self {
        match name {
            _ if name.contains(['.', '/']) => Self(format!("{}['{name}']", self.0)),
            _ if self.0.is_empty() => Self(name.to_owned()),
            _ => Self(format!("{}.{name}", self.0)),
        }
    }

    pub(super) fn element(&self, place: usize) -> Self {
        Self(format!("{}[{place}]", self.0))
    }

    /// The path as [`Lines`](mizzen_model::Lines) has it.
    pub(super) fn in_lines(&self) -> String {
        self.0.replace("['", ".").replace("']", "")
    }

    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Problem ===

impl Problem {
    pub(super) fn at(field: Field, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_root() { f.write_str(&self.message) } else { write!(f, "`{}` {}", self.field, self.message) }
    }
}

// === impl Refusal ===

impl Refusal {
    /// A refusal for one problem.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::at(Field::of(field), message)])
    }

    /// The error of a write to an object.
    pub(super) fn about(self, object: String) -> WriteError {
        match self {
            Self::NotServed(kind) => WriteError::NotFound { object, message: not_served(&kind) },
            Self::Absent => WriteError::NotFound { object, message: "it does not exist".into() },
            Self::Conflict { manager, fields } => WriteError::Conflict { object, manager, fields },
            Self::Stale(message) => WriteError::Stale { object, message },
            Self::Invalid(problems) => {
                let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
                WriteError::Invalid { object, message: problems.join("; ") }
            }
        }
    }
}

/// The name of the object in a document, as far as it has one: kind, namespace and name.
pub(super) fn object_name(document: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let (kind, name) = (text(&document["kind"]), text(&document["metadata"]["name"]));
    match document["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// The message about a kind that is not served.
pub(super) fn not_served(kind: &Kind) -> String {
    format!(
        "{kind} is not served: it is not built in, and its CRD is not among the documents; add the CRD, or leave the \
         object out"
    )
}
