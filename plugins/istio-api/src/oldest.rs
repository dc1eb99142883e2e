//! Which of several custom resources determines the mesh: the oldest.

use mizzen_sdk::{AccessError, Description, Kind, Outcome, Query, Subject, cluster};
use serde::Deserialize;

use crate::reasons;

/// The kinds of the custom resource, and the names of their field sets: this project's and Kyma's.
const KINDS: [(&str, &str); 2] =
    [("mizzen.dev/v1alpha1", "istios"), ("operator.kyma-project.io/v1alpha2", "kyma-istios")];

#[derive(Debug, Deserialize)]
struct Other {
    metadata: Metadata,
}

/// Ordered by age; the names decide within a second.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// As Kubernetes writes times: sorting the texts sorts the times.
    #[serde(default)]
    creation_timestamp: String,
    #[serde(default)]
    namespace: Option<String>,
    name: String,
}

/// Declares what this module reads.
#[must_use]
pub fn declare(description: Description) -> Description {
    KINDS.iter().fold(description, |description, (api_version, set)| {
        let kind = Kind::new(api_version, "Istio");
        description.reads_fields(set, kind, &["metadata.creationTimestamp"], "the oldest one determines the mesh")
    })
}

/// The name of the custom resource that counts instead of this one; `None`: this one counts.
pub fn instead_of<S>(subject: &Subject<S>) -> Result<Option<String>, AccessError> {
    let Some((_, set)) = KINDS.iter().find(|(api_version, _)| *api_version == subject.api_version) else {
        let why = format!("it is of {}; write `mizzen.dev/v1alpha1` or Kyma's", subject.api_version);
        return Err(AccessError::Invalid(format!("the subject is not valid: {why}")));
    };
    let all: Vec<Other> = cluster::list(&Query::of(Kind::new(&subject.api_version, &subject.kind)).fields(set))?;
    let oldest = all.into_iter().map(|other| other.metadata).min();
    Ok(oldest
        .filter(|oldest| (&oldest.namespace, &oldest.name) != (&subject.metadata.namespace, &subject.metadata.name))
        .map(|oldest| format!("{}/{}", oldest.namespace.unwrap_or_default(), oldest.name)))
}

/// The outcome for a custom resource that does not count: `failed`, so that no successor acts for
/// it.
pub fn outcome(older: &str) -> Outcome {
    let message = format!("the older {older} already determines the mesh: delete one of the two");
    Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reasons::OLDER, message)
}
