//! The size and the provider of a cluster.

use mizzen_sdk::k8s::Quantity;
use schemars::JsonSchema;
use serde::Deserialize;

/// The cluster's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// A cluster for tests: one replica each, with few resources.
    Small,
    /// A cluster with real load.
    Full,
}

/// Cores of all nodes below which a cluster is small.
const CPU: Quantity = Quantity::whole(5);
/// Bytes of all nodes below which a cluster is small.
const MEMORY: Quantity = Quantity::whole(10_000_000_000);

impl Size {
    /// The size by the capacity of all nodes. Behaviour: Kyma (5 CPU, 10 GB).
    pub(crate) fn of(cpu: Quantity, memory: Quantity) -> Self {
        if cpu < CPU || memory < MEMORY { Self::Small } else { Self::Full }
    }
}

/// The provider of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Google Kubernetes Engine.
    Gke,
    /// k3s in containers.
    K3d,
    /// Amazon Web Services.
    Aws,
    /// `OpenStack`.
    OpenStack,
    /// Any other, without special needs.
    Other,
}

impl Provider {
    /// Recognises the provider by a node's `status.nodeInfo` and `spec.providerID`.
    pub(crate) fn of(kubelet: &str, os_image: &str, id: &str) -> Option<Self> {
        if kubelet.contains("-gke.") {
            Some(Self::Gke)
        } else if os_image.starts_with("K3s") {
            Some(Self::K3d)
        } else if id.starts_with("aws://") {
            Some(Self::Aws)
        } else if id.starts_with("openstack://") {
            Some(Self::OpenStack)
        } else {
            None
        }
    }
}
