//! What is wrong with a document, field by field, and why a write is not done.

use std::fmt;

use mizzen_model::Kind;

use crate::{ForeignField, WriteError};

/// The name of a field: `spec.ports[0].name`; empty for the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Field(String);

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: Field,
    pub(super) message: String,
}

/// Why a document is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody defines its kind.
    NotServed(Kind),
    /// There is no such object.
    Absent,
    /// It is for another object than the one there is, or for an earlier state of it.
    Stale(String),
    /// It is wrong in itself.
    Invalid(Vec<Problem>),
    /// Others own what it would change.
    Conflict {
        /// The manager that tried.
        manager: String,
        /// What is owned by whom.
        fields: Vec<ForeignField>,
    },
}

// === impl Field ===

impl Field {
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// A dotted name.
    pub(super) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A JSON pointer.
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
    /// One thing that is wrong.
    pub(super) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::at(Field::of(field), message)])
    }

    /// What the API server would answer, for an object.
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

/// What to say of a kind that nobody defines.
pub(super) fn not_served(kind: &Kind) -> String {
    format!("{kind} is not served: it is not built in, and its CRD is not among the documents")
}
