//! What the cluster's provider needs.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

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

pub(super) fn layer(provider: Provider) -> Value {
    match provider {
        Provider::Other => Value::Null,
        // GKE's nodes have CNI plugins in another folder, and allow critical Pods only where a
        // quota does.
        Provider::Gke => {
            json!({"values": {"cni": {"cniBinDir": "/home/kubernetes/bin", "resourceQuotas": {"enabled": true}}}})
        }
        Provider::K3d => json!({"values": {"cni": {
            "cniBinDir": "/bin",
            "cniConfDir": "/var/lib/rancher/k3s/agent/etc/cni/net.d",
        }}}),
        Provider::Aws => ingress(&json!({
            "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
            "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
            "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "instance",
        })),
        // The load balancer passes the client's address by the proxy protocol: the gateway must
        // accept it, too.
        Provider::OpenStack => {
            let mut layer = ingress(&json!({"loadbalancer.openstack.org/proxy-protocol": "v1"}));
            layer["meshConfig"] = json!({"defaultConfig": {"gatewayTopology": {"proxyProtocol": {}}}});
            layer
        }
    }
}

/// Annotations of the ingress gateway's Service, which load balancers read.
fn ingress(annotations: &Value) -> Value {
    json!({"components": {"ingressGateways": [
        {"name": "istio-ingressgateway", "k8s": {"serviceAnnotations": annotations}},
    ]}})
}
