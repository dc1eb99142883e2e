//! Why a read or a write of the cluster failed.

use std::fmt;

use mizzen_model::{AccessError, Kind};

/// Why a read failed. None of these means "there are no objects".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The API server does not serve the kind: its CRD is not installed.
    #[error("the API server does not serve {0}; is its CRD installed?")]
    NotServed(Kind),
    /// The API server forbids the host to read the kind.
    #[error("the API server forbids reading {kind}: {message}; add the rule to the host's ClusterRole")]
    Forbidden {
        /// The kind that was read.
        kind: Kind,
        /// The API server's message.
        message: String,
    },
    /// The kind has no view, or the view's initial list is not complete.
    #[error("{0}: the initial list is not complete yet")]
    NotSynced(Kind),
    /// The API server can't be reached, or fails.
    #[error("API server unavailable while reading {kind}: {message}")]
    Unavailable {
        /// The kind that was read.
        kind: Kind,
        /// What went wrong.
        message: String,
    },
}

/// A field that another field manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignField {
    /// Its path, e.g. `.spec.mtls.mode`.
    pub field: String,
    /// The field manager that owns it.
    pub manager: String,
    /// Whether that manager owns the field by server-side apply. Otherwise it edited the field once
    /// (`kubectl edit`): in an object that carries our owner label, that is drift. The API server's
    /// message has ` using <version>` for edits alone.
    pub applied: bool,
}

impl fmt::Display for ForeignField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is owned by `{}`", self.field, self.manager)
    }
}

/// Why a write failed. Nothing was changed, except perhaps after [`WriteError::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another field manager owns fields that were to be applied.
    #[error("{}", describe_conflict(.object, .manager, .fields))]
    Conflict {
        /// The object.
        object: String,
        /// The field manager of the refused apply.
        manager: String,
        /// The contested fields and their owners.
        fields: Vec<ForeignField>,
    },
    /// The object exists already and does not carry the mark of the reconciler: it belongs to another party.
    #[error(
        "{object} exists already and was not created by reconciler `{reconciler}` ({}); to adopt it, grant `adopt`, or \
         annotate the object with `mizzen.dev/adopt: {reconciler}`",
        describe_managers(.managers)
    )]
    Exists {
        /// The object.
        object: String,
        /// The reconciler.
        reconciler: String,
        /// The field managers of the object.
        managers: Vec<String>,
    },
    /// Two subjects of one reconciler want the object, and the other subject owns it.
    #[error("{object} is wanted by {by} as well, which owns it; give one of the two objects another name")]
    Claimed {
        /// The object.
        object: String,
        /// The other subject.
        by: String,
    },
    /// The object has another uid, or has changed since it was read: read it again.
    #[error("{object} has changed since it was read: {message}")]
    Stale {
        /// The object.
        object: String,
        /// The API server's message.
        message: String,
    },
    /// The API server refuses the content.
    #[error("the API server refuses {object}: {message}")]
    Invalid {
        /// The object.
        object: String,
        /// The API server's message.
        message: String,
    },
    /// The API server forbids the host to write the object.
    #[error("the API server forbids writing {object}: {message}; add the rule to the host's ClusterRole")]
    Forbidden {
        /// The object.
        object: String,
        /// The API server's message.
        message: String,
    },
    /// The object, its namespace or its kind does not exist.
    #[error("{object} not found: {message}")]
    NotFound {
        /// The object.
        object: String,
        /// The API server's message.
        message: String,
    },
    /// Transient, of any write: the API server can't be reached, or is unavailable.
    #[error("API server unavailable while writing {object}: {message}")]
    Unavailable {
        /// The object.
        object: String,
        /// What went wrong.
        message: String,
    },
    /// Transient, of this write: a quota is exhausted, a webhook fails, or there are too many requests.
    #[error("the API server can't write {object} at the moment: {message}")]
    Temporary {
        /// The object.
        object: String,
        /// What went wrong.
        message: String,
    },
    /// The write was sent, and no response tells whether it took effect. It may do so later.
    #[error("it is not known whether {object} was written: {message}")]
    Unknown {
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

fn describe_managers(managers: &[String]) -> String {
    if managers.is_empty() {
        return "no field manager is recorded".into();
    }
    let managers: Vec<_> = managers.iter().map(|manager| format!("`{manager}`")).collect();
    format!("its field managers: {}", managers.join(", "))
}

fn describe_conflict(object: &str, manager: &str, fields: &[ForeignField]) -> String {
    let owned: Vec<_> = fields.iter().map(ToString::to_string).collect();
    format!(
        "{object}: `{manager}` conflicts with other field managers: {}; grant `force` to take these fields over",
        owned.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_does_not_read_like_an_api_server_that_is_unavailable() {
        let object = || "Shop a/x".to_owned();
        let gone = WriteError::NotFound { object: object(), message: "it does not exist".into() };
        assert_eq!(gone.to_string(), "Shop a/x not found: it does not exist");
        let away = WriteError::Unavailable { object: object(), message: "connection refused".into() };
        assert_eq!(away.to_string(), "API server unavailable while writing Shop a/x: connection refused");
    }

    #[test]
    fn a_conflict_names_the_fields_their_owners_and_the_way_out() {
        let field = |applied| ForeignField { field: ".spec.a".into(), manager: "helm".into(), applied };
        let error = WriteError::Conflict { object: "Shop a/x".into(), manager: "m".into(), fields: vec![field(true)] };
        let message = "Shop a/x: `m` conflicts with other field managers: `.spec.a` is owned by `helm`; grant `force` \
                       to take these fields over";
        assert_eq!(error.to_string(), message);
    }
}
