//! Owners of pods.

use std::fmt;

use mizzen_sdk::{Kind, ObjectRef};

/// The kind of a pod's owner; a pod without an owner is its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Rolls out changes of its template.
    Deployment,
    /// Rolls out changes of its template.
    StatefulSet,
    /// Rolls out changes of its template.
    DaemonSet,
    /// Replaces deleted pods; may be a part of a Deployment.
    ReplicaSet,
    /// Replaces deleted pods.
    ReplicationController,
    /// Is not restarted: it would repeat its work.
    Job,
    /// Is not restarted: nothing would replace it.
    Pod,
    /// Any other kind: it is not known how it is restarted.
    Other {
        /// E.g. `Rollout`.
        kind: Box<str>,
        /// E.g. `argoproj.io/v1alpha1`.
        api_version: Box<str>,
    },
}

/// A workload. Ordered by namespace, kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Its namespace.
    pub namespace: Box<str>,
    /// Its kind.
    pub controller: Controller,
    /// Its name.
    pub name: Box<str>,
}

impl Controller {
    /// The kind of an owner reference. A kind of the same name in another group is another kind, but
    /// for `extensions`, from which Kubernetes moved these kinds to `apps`.
    pub(crate) fn of(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        match (group, kind) {
            ("apps" | "extensions", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps" | "extensions", "DaemonSet") => Self::DaemonSet,
            ("apps" | "extensions", "ReplicaSet") => Self::ReplicaSet,
            ("", "ReplicationController") => Self::ReplicationController,
            ("batch", "Job") => Self::Job,
            _ => Self::Other { kind: kind.into(), api_version: api_version.into() },
        }
    }

    /// The name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::ReplicaSet => "ReplicaSet",
            Self::ReplicationController => "ReplicationController",
            Self::Job => "Job",
            Self::Pod => "Pod",
            Self::Other { kind, .. } => kind,
        }
    }

    /// The kind for reads and writes.
    pub fn kind(&self) -> Kind {
        let api_version = match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::ReplicaSet => "apps/v1",
            Self::ReplicationController | Self::Pod => "v1",
            Self::Job => "batch/v1",
            Self::Other { api_version, .. } => api_version,
        };
        Kind::new(api_version, self.name())
    }
}

impl Workload {
    /// The object for reads and writes.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.controller.kind(), Some(&self.namespace), &self.name)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.controller.name(), self.namespace, self.name)
    }
}
