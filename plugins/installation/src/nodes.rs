//! What the cluster's nodes say: how large it is, and where it runs.

use mizzen_sdk::{AccessError, Description, Kind, Query, cluster};
use serde::Deserialize;

use crate::merge::{Provider, Size};

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
    description.reads_fields(NODES, Kind::new("v1", "Node"), &paths, "how large the cluster is, and where it runs")
}

/// The cluster's size, and where it runs: by the first node that tells.
pub(crate) fn read() -> Result<(Size, Provider), AccessError> {
    let (mut cpu, mut memory, mut provider) = (0_u128, 0_u128, None);
    for node in cluster::scan::<Node>(&Query::of(Kind::new("v1", "Node")).fields(NODES))? {
        let Node { spec, status: NodeStatus { capacity, node_info } } = node?;
        cpu = cpu.saturating_add(millionths(&capacity.cpu));
        memory = memory.saturating_add(millionths(&capacity.memory));
        provider =
            provider.or_else(|| Provider::of(&node_info.kubelet_version, &node_info.os_image, &spec.provider_id));
    }
    Ok((Size::of(cpu, memory), provider.unwrap_or(Provider::Other)))
}

/// A Kubernetes quantity, in millionths; 0 for what is none.
fn millionths(quantity: &str) -> u128 {
    let end = quantity.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(quantity.len());
    let (number, suffix) = quantity.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let (Ok(whole), Ok(fraction)) = (whole.parse::<u64>(), fraction.parse::<u64>()) else { return 0 };
    let value = u128::from(whole) * 1_000_000 + u128::from(fraction);
    let power = |base: u128, exponent| base.saturating_pow(exponent).saturating_mul(value);
    match suffix {
        "n" => value / 1_000_000_000,
        "u" => value / 1_000_000,
        "m" => value / 1_000,
        "" => value,
        "k" => power(1000, 1),
        "M" => power(1000, 2),
        "G" => power(1000, 3),
        "T" => power(1000, 4),
        "P" => power(1000, 5),
        "Ki" => power(1024, 1),
        "Mi" => power(1024, 2),
        "Gi" => power(1024, 3),
        "Ti" => power(1024, 4),
        "Pi" => power(1024, 5),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_counted_in_millionths() {
        for (quantity, expected) in [
            ("4", 4_000_000),
            ("3920m", 3_920_000),
            ("0.5", 500_000),
            ("1500u", 1500),
            ("2k", 2_000_000_000),
            ("16Ki", 16_384_000_000),
            ("1.5Gi", 1_610_612_736_000_000),
            ("", 0),
            ("many", 0),
            ("4x", 0),
        ] {
            assert_eq!(millionths(quantity), expected, "{quantity}");
        }
    }

    #[test]
    fn a_cluster_is_small_when_either_is_short() {
        let size = |cpu, memory| Size::of(millionths(cpu), millionths(memory));
        assert_eq!(size("5", "10G"), Size::Full);
        assert_eq!(size("4999m", "64Gi"), Size::Small);
        assert_eq!(size("16", "9999M"), Size::Small);
    }

    #[test]
    fn a_provider_is_told_by_what_its_nodes_say() {
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
