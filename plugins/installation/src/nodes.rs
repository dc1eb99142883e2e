//! The cluster's size and provider, detected from its nodes.

use mizzen_sdk::k8s::Quantity;
use mizzen_sdk::{AccessError, Description, Kind, Query, cluster};
use serde::Deserialize;

use crate::environment::{Provider, Size};

const NODES: &str = "nodes";

#[derive(Debug, Deserialize)]
struct Node {
    #[serde(default)]
    spec: NodeSpec,
    #[serde(default)]
    status: NodeStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeStatus {
    capacity: Capacity,
    node_info: NodeInfo,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Capacity {
    cpu: String,
    memory: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfo {
    kubelet_version: String,
    os_image: String,
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = [
        "spec.providerID",
        "status.capacity.cpu",
        "status.capacity.memory",
        "status.nodeInfo.kubeletVersion",
        "status.nodeInfo.osImage",
    ];
    description.reads_fields(NODES, Kind::new("v1", "Node"), &paths, "the cluster's size and provider")
}

/// Returns the cluster's size, and the provider that the first recognised node has.
pub(crate) fn read() -> Result<(Size, Provider), AccessError> {
    let (mut cpu, mut memory, mut provider) = (Quantity::default(), Quantity::default(), None);
    for node in cluster::scan::<Node>(&Query::of(Kind::new("v1", "Node")).fields(NODES))? {
        let Node { spec, status: NodeStatus { capacity, node_info } } = node?;
        cpu = cpu.saturating_add(quantity(&capacity.cpu));
        memory = memory.saturating_add(quantity(&capacity.memory));
        provider =
            provider.or_else(|| Provider::of(&node_info.kubelet_version, &node_info.os_image, &spec.provider_id));
    }
    Ok((Size::of(cpu, memory), provider.unwrap_or(Provider::Other)))
}

/// A Kubernetes quantity; 0 if it is missing or malformed.
fn quantity(text: &str) -> Quantity {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_small_when_either_is_short() {
        let size = |cpu, memory| Size::of(quantity(cpu), quantity(memory));
        assert_eq!(size("5", "10G"), Size::Full);
        assert_eq!(size("4999m", "64Gi"), Size::Small);
        assert_eq!(size("16", "9999M"), Size::Small);
        assert_eq!(size("16", ""), Size::Small);
        assert_eq!(size("5e0", "1E"), Size::Full);
    }

    #[test]
    fn the_provider_is_recognised_by_the_fields_of_its_nodes() {
        for (kubelet, image, id, expected) in [
            ("v1.34.1-gke.200", "Container-Optimized OS", "gce://p/z/n", Some(Provider::Gke)),
            ("v1.34.1+k3s1", "K3s v1.34.1+k3s1", "k3s://n", Some(Provider::K3d)),
            ("v1.34.1+k3s1", "Ubuntu 24.04", "k3s://n", None),
            ("v1.34.1", "Garden Linux", "aws:///z/n", Some(Provider::Aws)),
            ("v1.34.1", "Garden Linux", "openstack:///n", Some(Provider::OpenStack)),
            ("v1.34.1", "Garden Linux", "azure:///n", None),
        ] {
            assert_eq!(Provider::of(kubelet, image, id), expected, "{kubelet} {image} {id}");
        }
    }
}
