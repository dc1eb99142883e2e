//! Why a cluster does not answer, or does not do.

use mizzen_model::{AccessError, Kind};

/// Why a read has no answer. None of them means "there are no objects".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The API server does not serve the kind: its CRD is absent.
    #[error("the API server does not serve {0}; is its CRD installed?")]
    NotServed(Kind),
    /// The API server refuses to let the host read the kind.
    #[error("the API server forbids reading {kind}: {message}; add the rule to the host's ClusterRole")]
    Forbidden {
        /// What was to be read.
        kind: Kind,
        /// The API server's words.
        message: String,
    },
    /// No view of the kind is kept, or its first list is not complete.
    #[error("{0} is not known yet")]
    NotSynced(Kind),
    /// The API server can't be reached, or fails.
    #[error("the API server did not answer for {kind}: {message}")]
    Unavailable {
        /// What was to be read.
        kind: Kind,
        /// What went wrong.
        message: String,
    },
}

/// A field somebody else owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignField {
    /// Its path, e.g. `.spec.mtls.mode`.
    pub field: String,
    /// The field manager that owns it.
    pub manager: String,
    /// Whether that manager declares the field by server-side apply. Otherwise it edited the field once (`kubectl edit`), which
    /// in an object of ours is drift and not a claim. The API server's message has ` using <version>` exactly for edits.
    pub applied: bool,
}

/// Why a write was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another field manager owns fields that were to be applied.
    #[error("{}", describe_conflict(.object, .manager, .fields))]
    Conflict {
        /// The object.
        object: String,
        /// The manager that tried.
        manager: String,
        /// What is owned by whom.
        fields: Vec<ForeignField>,
    },
    /// It is wanted for two subjects of one reconciler, and the other has it.
    #[error("{object} is wanted by {by} as well, which had it first and keeps it; give one of the two another name")]
    Claimed {
        /// The object.
        object: String,
        /// The other subject.
        by: String,
    },
    /// The object is another one by now, or was changed in between: look again.
    #[error("{object} changed in between: {message}")]
    Stale {
        /// The object.
        object: String,
        /// The API server's words.
        message: String,
    },
    /// The API server refuses the content.
    #[error("the API server refuses {object}: {message}")]
    Invalid {
        /// The object.
        object: String,
        /// The API server's words.
        message: String,
    },
    /// The API server refuses the host's identity.
    #[error("the API server forbids writing {object}: {message}; add the rule to the host's ClusterRole")]
    Forbidden {
        /// The object.
        object: String,
        /// The API server's words.
        message: String,
    },
    /// The object, its namespace or its kind is not there.
    #[error("{object} can't be written: {message}")]
    NotFound {
        /// The object.
        object: String,
        /// The API server's words.
        message: String,
    },
    /// Passing trouble: the API server can't be reached, is overloaded, or fails.
    #[error("{object} could not be written: {message}")]
    Unavailable {
        /// The object.
        object: String,
        /// What went wrong.
        message: String,
    },
}

impl From<ReadError> for AccessError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotServed(_) => Self::NotServed(error.to_string()),
            ReadError::Forbidden { .. } | ReadError::NotSynced(_) | ReadError::Unavailable { .. } => {
                Self::Unavailable(error.to_string())
            }
        }
    }
}

fn describe_conflict(object: &str, manager: &str, fields: &[ForeignField]) -> String {
    let owned: Vec<_> = fields.iter().map(|f| format!("`{}` is owned by `{}`", f.field, f.manager)).collect();
    format!("{object}: `{manager}` may not take over what others own: {}; grant `force` to take it", owned.join(", "))
}
