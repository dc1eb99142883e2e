//! The programs of a control plane, and the Go package that each is built from.

use std::fmt;

/// A program of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    ApiServer,
    /// Kubernetes' own controllers: garbage collection, Deployments, EndpointSlices, `ServiceAccount`s, namespaces.
    ControllerManager,
    /// Gives pods their node.
    Scheduler,
    /// Simulates the kubelet: nodes and pods become ready, nothing runs.
    Kwok,
    /// For users; the control plane does not need it.
    Kubectl,
}

/// A Go module of `tests/controlplane/`: the programs or files in it share one set of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The folder in `tests/controlplane/`.
    pub(crate) folder: &'static str,
    /// The Go module whose version it has.
    pub(crate) module: &'static str,
    /// Whether the programs get their version from linker flags, as Kubernetes' do.
    pub(crate) stamped: bool,
}

pub(crate) const ETCD: Source = Source { folder: "etcd", module: "go.etcd.io/etcd/server/v3", stamped: false };
pub(crate) const KUBERNETES: Source = Source { folder: "kubernetes", module: "k8s.io/kubernetes", stamped: true };
pub(crate) const KWOK: Source = Source { folder: "kwok", module: "sigs.k8s.io/kwok", stamped: false };
pub(crate) const ISTIO_API: Source = Source { folder: "crds", module: "istio.io/api", stamped: false };
pub(crate) const PROMETHEUS_OPERATOR: Source =
    Source { folder: "crds", module: "github.com/prometheus-operator/prometheus-operator", stamped: false };

// === impl Program ===

impl Program {
    /// Every program.
    pub const ALL: [Self; 6] =
        [Self::Etcd, Self::ApiServer, Self::ControllerManager, Self::Scheduler, Self::Kwok, Self::Kubectl];

    /// The name of the executable, e.g. `kube-apiserver`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
            Self::Kubectl => "kubectl",
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Etcd => ETCD,
            Self::Kwok => KWOK,
            Self::ApiServer | Self::ControllerManager | Self::Scheduler | Self::Kubectl => KUBERNETES,
        }
    }

    /// The Go package with the program's `main`.
    pub(crate) fn package(self) -> String {
        let Source { module, .. } = self.source();
        match self {
            Self::Etcd => module.to_owned(),
            _ => format!("{module}/cmd/{}", self.name()),
        }
    }

    /// How long a cold build takes on two cores.
    pub(crate) fn build_time(self) -> &'static str {
        match self {
            Self::Etcd => "half a minute",
            Self::ApiServer => "3 minutes",
            Self::ControllerManager | Self::Kwok => "1 minute",
            Self::Scheduler | Self::Kubectl => "20 seconds",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
