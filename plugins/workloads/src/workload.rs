//! What owns pods.

use std::fmt;

use mizzen_sdk::{Kind, ObjectRef};

/// A kind of what owns pods; a pod that nothing owns is its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Rolls when its template changes.
    Deployment,
    /// Rolls when its template changes.
    StatefulSet,
    /// Rolls when its template changes.
    DaemonSet,
    /// Replaces a pod that was deleted; of a Deployment it is a part.
    ReplicaSet,
    /// Replaces a pod that was deleted.
    ReplicationController,
    /// Would begin its work anew: nobody restarts it.
    Job,
    /// Nobody would bring it back.
    Pod,
    /// Of somebody else's making, by `kind` and `apiVersion`: only its makers know how it is restarted.
    Other {
        /// E.g. `Rollout`.
        kind: Box<str>,
        /// E.g. `argoproj.io/v1alpha1`.
        api_version: Box<str>,
    },
}

/// One of them. Ordered by namespace, kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Workload {
    /// Where it is.
    pub namespace: Box<str>,
    /// What it is.
    pub controller: Controller,
    /// Its name.
    pub name: Box<str>,
}

impl Controller {
    /// The controller of an owner reference. A kind of the same name in another group is somebody else's.
    pub(crate) fn of(api_version: &str, kind: &str) -> Self {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        match (group, kind) {
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("apps", "ReplicaSet") => Self::ReplicaSet,
            ("", "ReplicationController") => Self::ReplicationController,
            ("batch", "Job") => Self::Job,
            _ => Self::Other { kind: kind.into(), api_version: api_version.into() },
        }
    }

    /// Its kind's name.
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

    /// As reads and writes name it.
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
    /// As reads and writes name it.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.controller.kind(), Some(&self.namespace), &self.name)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.controller.name(), self.namespace, self.name)
    }
}
