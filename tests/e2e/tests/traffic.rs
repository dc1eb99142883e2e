//! Real traffic: an ExposedAPI is applied, the operator makes its route, istiod tells an Envoy, and a request reaches the backend, or does not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in what its cases share")]

use kube::api::{DeleteParams, Patch, PatchParams};
use mizzen_e2e::{Objects, Operator, PATIENCE, plugins, repository};
use mizzen_testcluster::ControlPlane;
use mizzen_traffic::{Answer, Backend, IngressGateway, Tools, get};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// Where APIs are published in this test.
const HOST: &str = "apis.example.com";

/// A cluster with a gateway, and the operator with the reconciler of APIs alone.
struct Mesh {
    objects: Objects,
    gateway: IngressGateway,
    _operator: Operator,
    _plugins: TempDir,
    cluster: ControlPlane,
}

impl Mesh {
    async fn start() -> Option<Self> {
        let tools = Tools::for_test().await?;
        let builder = ControlPlane::builder().mesh_crds(true).controller_manager(true);
        let builder = builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds"));
        let cluster = builder.start_for_test().await?;
        let objects = Objects(cluster.client().unwrap());
        for name in ["istio-system", "canvas", "shop"] {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            cluster.apply_yaml(&namespace.to_string()).await.unwrap();
        }
        let gateway = IngressGateway::start(&cluster, &tools).await.unwrap();
        let server = json!({
            "port": {"number": gateway.port(), "name": "http", "protocol": "HTTP"}, "hosts": ["*"], "bind": "127.0.0.1",
        });
        let document = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "component-gateway", "namespace": "canvas"},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]},
        });
        cluster.apply_yaml(&document.to_string()).await.unwrap();
        cluster.apply_yaml(&reconciler().to_string()).await.unwrap();
        let plugins = plugins();
        let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
        Some(Self { objects, gateway, _operator: operator, _plugins: plugins, cluster })
    }

    /// Publishes an API of a Service, behind which a backend stands. No EndpointSlice can name 127.0.0.1, so Istio is told in its own way.
    async fn expose(&self, service: &str, path: &str, backend: &Backend) {
        let entry = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
            "metadata": {"name": service, "namespace": "shop"},
            "spec": {
                "hosts": [format!("{service}.shop.svc.cluster.local")],
                "ports": [{"number": 8080, "name": "http", "protocol": "HTTP", "targetPort": backend.port()}],
                "location": "MESH_INTERNAL",
                "resolution": "STATIC",
                "endpoints": [{"address": "127.0.0.1"}],
            },
        });
        let api = json!({
            "apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
            "metadata": {"name": service, "namespace": "shop"},
            "spec": {"name": service, "apiType": "openapi", "implementation": service, "path": path, "port": 8080},
        });
        for document in [entry, api] {
            self.cluster.apply_yaml(&document.to_string()).await.unwrap();
        }
    }

    async fn move_to(&self, api: &str, path: &str) {
        let moved = Patch::Merge(json!({"spec": {"path": path}}));
        self.objects.apis("shop").patch(api, &PatchParams::default(), &moved).await.unwrap();
    }

    /// What a caller gets for a path now.
    async fn asks(&self, path: &str) -> Option<Answer> {
        get(self.gateway.port(), HOST, path).await.ok()
    }

    /// Waits until a backend answers at a path.
    async fn reaches(&self, path: &str, backend: &str) {
        let wanted = Answer { status: 200, body: format!("{backend} {path}") };
        self.until(path, &wanted.body, |answer| *answer == wanted).await;
    }

    /// Waits until nobody answers at a path: Envoy itself says so.
    async fn reaches_nobody(&self, path: &str) {
        self.until(path, "404", |answer| *answer == nobody()).await;
    }

    async fn until(&self, path: &str, what: &str, mut is_so: impl FnMut(&Answer) -> bool) {
        let since = Instant::now();
        loop {
            let answer = self.asks(path).await;
            if answer.as_ref().is_some_and(&mut is_so) {
                return;
            }
            let tails = || self.gateway.tails();
            assert!(since.elapsed() < PATIENCE, "{path}: not {what} but {answer:?}\n{}", tails());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// What Envoy says itself where no route leads.
fn nobody() -> Answer {
    Answer { status: 404, body: String::new() }
}

/// The reconciler of APIs as it is shipped, but after nobody: nobody else is there.
fn reconciler() -> Value {
    let shipped = std::fs::read_to_string(repository("deploy/reconcilers.yaml")).unwrap();
    let documents = mizzen_model::yaml::parse(std::path::Path::new("reconcilers.yaml"), &shipped).unwrap();
    let mut found = documents
        .into_iter()
        .map(|document| document.value)
        .find(|it| it["metadata"]["name"] == "api-operator")
        .unwrap();
    found["spec"].as_object_mut().unwrap().remove("after");
    found["spec"]["config"] = json!({"gateway": "canvas/component-gateway", "publicHostname": HOST});
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_backend_that_an_api_names_and_no_other() {
    let Some(mesh) = Mesh::start().await else { return };
    let (catalog, orders) = (Backend::start("catalog").await.unwrap(), Backend::start("orders").await.unwrap());

    mesh.expose("catalog", "/a", &catalog).await;
    mesh.reaches("/a", "catalog").await;
    mesh.reaches("/a/items?first=1", "catalog").await;
    // The route is in force, so what it does not take it never will.
    assert_eq!(mesh.asks("/ab").await, Some(nobody()));
    assert_eq!(mesh.asks("/").await, Some(nobody()));

    // The neighbour whose path only begins alike.
    mesh.expose("orders", "/ab", &orders).await;
    mesh.reaches("/ab", "orders").await;
    mesh.reaches("/a", "catalog").await;

    mesh.move_to("catalog", "/c").await;
    mesh.reaches("/c/items", "catalog").await;
    mesh.reaches_nobody("/a").await;
    mesh.reaches("/ab", "orders").await;

    mesh.objects.apis("shop").delete("catalog", &DeleteParams::background()).await.unwrap();
    mesh.reaches_nobody("/c/items").await;
    mesh.reaches("/ab", "orders").await;
}
