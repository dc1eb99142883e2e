//! The layer for the cluster's provider: what Istio needs there.

use serde_json::{Value, json};

use crate::environment::Provider;

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
