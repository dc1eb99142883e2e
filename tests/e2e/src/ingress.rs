//! A mesh with real traffic: the operator writes the configuration of a gateway, istiod sends it to an
//! Envoy, and requests show whether it works.

use std::time::Duration;

use mizzen_testcluster::ControlPlane;
use mizzen_traffic::{Backend, IngressGateway, Label, Proxy, Request, Response, Tools};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::objects::Objects;
use crate::operator::{Operator, plugins};
use crate::{TIMEOUT, definitions, namespace};

/// A cluster with an ingress gateway, and the operator.
pub struct Ingress {
    /// Its objects.
    pub objects: Objects,
    /// istiod and the gateway's Envoy.
    pub gateway: IngressGateway,
    tools: Tools,
    _operator: Operator,
    _plugins: TempDir,
    cluster: ControlPlane,
}

// === impl Ingress ===

impl Ingress {
    /// Starts all of it with these namespaces, besides `istio-system`, and these reconcilers. `None` where
    /// istiod and Envoy are not available.
    pub async fn start(namespaces: &[&str], reconcilers: &[Value]) -> Option<Self> {
        let tools = Tools::for_test().await?;
        let cluster = definitions().controller_manager().start_for_test().await?;
        let objects = Objects(cluster.client().unwrap());
        for name in namespaces.iter().chain(&["istio-system"]) {
            namespace(&cluster, name).await;
        }
        let gateway = IngressGateway::start(&cluster, &tools).await.unwrap();
        let plugins = plugins();
        for reconciler in reconcilers {
            cluster.apply_yaml(&reconciler.to_string()).await.unwrap();
        }
        let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
        Some(Self { objects, gateway, tools, _operator: operator, _plugins: plugins, cluster })
    }

    /// Applies a document.
    pub async fn apply(&self, document: &Value) {
        self.cluster.apply_yaml(&document.to_string()).await.unwrap();
    }

    /// Makes the gateway listen for these hosts, without TLS.
    pub async fn listen(&self, namespace: &str, name: &str, hosts: &[&str]) {
        let port = json!({"number": self.gateway.port(), "name": "http", "protocol": "HTTP"});
        self.apply(&json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"istio": "ingressgateway"},
                     "servers": [{"port": port, "hosts": hosts, "bind": "127.0.0.1"}]},
        }))
        .await;
    }

    /// Serves a backend as port 8080 of a service. An `EndpointSlice` can't have the address 127.0.0.1, so
    /// this is a `ServiceEntry`.
    pub async fn serve(&self, namespace: &str, service: &str, backend: &Backend) {
        let ports = json!([{"number": 8080, "name": "http", "protocol": "HTTP", "targetPort": backend.port()}]);
        self.apply(&json!({
            "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": service, "namespace": namespace},
            "spec": {
                "hosts": [format!("{service}.{namespace}.svc.cluster.local")],
                "ports": ports,
                "location": "MESH_INTERNAL",
                "resolution": "STATIC",
                "endpoints": [{"address": "127.0.0.1"}],
            },
        }))
        .await;
    }

    /// Starts the sidecar of the workloads with a label `app`, in front of a backend. There are no
    /// certificates in this mesh, so mutual TLS is off.
    pub async fn sidecar(&self, namespace: &str, app: &str, backend: &Backend) -> Proxy {
        let proxy = self
            .gateway
            .sidecar(&self.cluster, &self.tools, namespace, Label { key: "app", value: app })
            .await
            .unwrap();
        self.apply(&json!({
            "apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": namespace}, "spec": {"mtls": {"mode": "DISABLE"}},
        }))
        .await;
        let port = json!({"number": proxy.port(), "name": "http", "protocol": "HTTP"});
        self.apply(&json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Sidecar",
            "metadata": {"name": app, "namespace": namespace},
            "spec": {
                "workloadSelector": {"labels": {"app": app}},
                "ingress": [{"port": port, "bind": "127.0.0.1", "defaultEndpoint": format!("127.0.0.1:{}",
                    backend.port())}],
                "egress": [{"hosts": ["~/*"]}],
            },
        }))
        .await;
        proxy
    }

    /// Sends a request to the gateway; `None` while it does not listen.
    pub async fn send(&self, request: &Request) -> Option<Response> {
        request.send(self.gateway.port()).await.ok()
    }

    /// Sends a request to the gateway until the response matches, and returns that.
    pub async fn until(&self, request: &Request, matches: impl Fn(&Response) -> bool) -> Response {
        self.until_at(self.gateway.port(), request, matches).await
    }

    /// Sends a request to a port until the response matches, and returns that.
    pub async fn until_at(&self, port: u16, request: &Request, matches: impl Fn(&Response) -> bool) -> Response {
        let since = Instant::now();
        loop {
            let last = request.send(port).await.ok();
            if let Some(response) = last.as_ref().filter(|response| matches(response)) {
                return response.clone();
            }
            let tails = || self.gateway.tails();
            assert!(since.elapsed() < TIMEOUT, "{request:?}: last response {last:?}\n{}", tails());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
