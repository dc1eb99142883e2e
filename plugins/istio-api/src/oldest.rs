//! Whose wish counts when several custom resources describe one mesh: the oldest one's.

use mizzen_sdk::{AccessError, Description, Kind, Outcome, Query, Subject, cluster};
use serde::Deserialize;

use crate::reasons;

/// The kinds of custom resource, and the names of their field sets: our own, and Kyma's.
const KINDS: [(&str, &str); 2] =
    [("mizzen.dev/v1alpha1", "istios"), ("operator.kyma-project.io/v1alpha2", "kyma-istios")];

#[derive(Debug, Deserialize)]
struct Other {
    metadata: Metadata,
}

/// In the order of age; the names decide between those of one second.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    /// As Kubernetes writes times: their texts are in the order of the times.
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
        description.reads_fields(set, kind, &["metadata.creationTimestamp"], "the oldest one decides about the mesh")
    })
}

/// The name of the custom resource that counts instead of this one; `None`: this one does.
pub fn instead_of<S>(subject: &Subject<S>) -> Result<Option<String>, AccessError> {
    let Some((_, set)) = KINDS.iter().find(|(api_version, _)| *api_version == subject.api_version) else {
        let why = format!("it is of {}; write `mizzen.dev/v1alpha1` or Kyma's", subject.api_version);
        return Err(AccessError::Invalid(format!("the subject makes no sense: {why}")));
    };
    let all: Vec<Other> = cluster::list(&Query::of(Kind::new(&subject.api_version, &subject.kind)).fields(set))?;
    let oldest = all.into_iter().map(|other| other.metadata).min();
    Ok(oldest
        .filter(|oldest| (&oldest.namespace, &oldest.name) != (&subject.metadata.namespace, &subject.metadata.name))
        .map(|oldest| format!("{}/{}", oldest.namespace.unwrap_or_default(), oldest.name)))
}

/// What is answered about a custom resource that does not count. `failed`, so that nothing later in the order acts for it.
pub fn outcome(older: &str) -> Outcome {
    let message = format!("the older {older} describes the mesh already: delete one of the two");
    Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reasons::OLDER, message)
}
