//! A mesh with real traffic: the operator writes what a gateway is to do, istiod tells an Envoy, and requests show whether it does.

use std::time::Duration;

use mizzen_testcluster::ControlPlane;
use mizzen_traffic::{Answer, Backend, Headers, IngressGateway, Proxy, Request, Tools};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::objects::Objects;
use crate::operator::{Operator, plugins};
use crate::{PATIENCE, definitions, namespace};

/// A cluster with an ingress gateway, and the operator.
pub struct Ingress {
    /// The objects in there.
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
    /// Starts all of it with these namespaces, beside `istio-system`, and these reconcilers. `None` where istiod and Envoy can't be had.
    pub async fn start(namespaces: &[&str], reconcilers: &[Value]) -> Option<Self> {
        let tools = Tools::for_test().await?;
        let cluster = definitions().controller_manager(true).start_for_test().await?;
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

    /// Has the gateway listen for these hosts, without TLS.
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

    /// Stands a backend behind a name of a namespace, at port 8080. No `EndpointSlice` can name 127.0.0.1, so Istio is told in its own way.
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

    /// Starts the sidecar of the workloads with a label `app`, in front of a backend. Nobody has certificates here, so nobody wants them.
    pub async fn sidecar(&self, namespace: &str, app: &str, backend: &Backend) -> Proxy {
        let proxy = self.gateway.sidecar(&self.cluster, &self.tools, namespace, ("app", app)).await.unwrap();
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
                "ingress": [{"port": port, "bind": "127.0.0.1", "defaultEndpoint": format!("127.0.0.1:{}", backend.port())}],
                "egress": [{"hosts": ["~/*"]}],
            },
        }))
        .await;
        proxy
    }

    /// What a caller of the gateway gets now; `None` while nobody listens.
    pub async fn asks(&self, request: &Request) -> Option<(Answer, Headers)> {
        request.send(self.gateway.port()).await.ok()
    }

    /// Waits until a caller of the gateway gets such an answer; gives it.
    pub async fn until(&self, request: &Request, is_so: impl Fn(&Answer, &Headers) -> bool) -> (Answer, Headers) {
        self.until_at(self.gateway.port(), request, is_so).await
    }

    /// Waits until a caller of a port gets such an answer; gives it.
    pub async fn until_at(
        &self,
        port: u16,
        request: &Request,
        is_so: impl Fn(&Answer, &Headers) -> bool,
    ) -> (Answer, Headers) {
        let since = Instant::now();
        loop {
            let heard = request.send(port).await.ok();
            if let Some((answer, headers)) = heard.as_ref().filter(|(answer, headers)| is_so(answer, headers)) {
                return (answer.clone(), headers.clone());
            }
            let tails = || self.gateway.tails();
            assert!(since.elapsed() < PATIENCE, "{request:?}: not so but {heard:?}\n{}", tails());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
