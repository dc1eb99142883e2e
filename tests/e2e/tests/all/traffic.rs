//! Real traffic: an ExposedAPI is applied, the operator makes its route, istiod tells an Envoy, and a request reaches the backend, or does not.

use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, Patch, PatchParams};
use mizzen_e2e::ingress::Ingress;
use mizzen_e2e::{TestGroup, shipped};
use mizzen_traffic::{Answer, Backend, Request};
use serde_json::{Value, json};

/// Where APIs are published in this test.
const HOST: &str = "apis.example.com";

/// A mesh with the reconciler of APIs alone.
struct Mesh(Ingress);

impl Mesh {
    async fn start() -> Option<Self> {
        let mesh = Ingress::start(&["canvas", "shop"], &[reconciler()]).await?;
        mesh.listen("canvas", "component-gateway", &["*"]).await;
        Some(Self(mesh))
    }

    /// Publishes an API of a Service, behind which a backend stands.
    async fn expose(&self, service: &str, path: &str, backend: &Backend) {
        self.0.serve("shop", service, backend).await;
        let api = json!({
            "apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI",
            "metadata": {"name": service, "namespace": "shop"},
            "spec": {"name": service, "apiType": "openapi", "implementation": service, "path": path, "port": 8080},
        });
        self.0.apply(&api).await;
    }

    async fn move_to(&self, api: &str, path: &str) {
        let moved = Patch::Merge(json!({"spec": {"path": path}}));
        self.0.objects.apis("shop").patch(api, &PatchParams::default(), &moved).await.unwrap();
    }

    /// What a caller gets for a path now.
    async fn asks(&self, path: &str) -> Option<Answer> {
        self.0.asks(&Request::get(HOST, path)).await.map(|(answer, _)| answer)
    }

    /// Waits until a backend answers at a path.
    async fn reaches(&self, path: &str, backend: &str) {
        let wanted = Answer { status: 200, body: format!("{backend} {path}") };
        self.0.until(&Request::get(HOST, path), |answer, _| *answer == wanted).await;
    }

    /// Waits until nobody answers at a path: Envoy itself says so.
    async fn reaches_nobody(&self, path: &str) {
        self.0.until(&Request::get(HOST, path), |answer, _| *answer == nobody()).await;
    }
}

/// What Envoy says itself where no route leads.
fn nobody() -> Answer {
    Answer { status: 404, body: String::new() }
}

/// The reconciler of APIs as it is shipped, at the host of this test.
fn reconciler() -> Value {
    let mut shipped = shipped("api-operator");
    shipped["spec"]["config"] = json!({"gateway": "canvas/component-gateway", "publicHostname": HOST});
    shipped
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_reaches_the_backend_that_an_api_names_and_no_other() {
    let _group = TestGroup::enter(module_path!());
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

    mesh.0.objects.apis("shop").delete("catalog", &DeleteParams::background()).await.unwrap();
    mesh.reaches_nobody("/c/items").await;
    mesh.reaches("/ab", "orders").await;
}

/// Why a route without a match is told as nobody's neighbour, and one with a regular expression is.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_route_without_a_match_takes_what_no_api_does_and_one_by_a_regular_expression_takes_an_apis() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start().await else { return };
    let (catalog, foreign) = (Backend::start("catalog").await.unwrap(), Backend::start("foreign").await.unwrap());
    mesh.0.serve("shop", "foreign", &foreign).await;
    let route = json!([{"destination": {"host": "foreign.shop.svc.cluster.local", "port": {"number": 8080}}}]);
    let rules = json!([{"match": [{"uri": {"regex": "/a/v[0-9]+"}}], "route": route}, {"route": route}]);
    mesh.0
        .apply(&json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": "foreign", "namespace": "canvas"},
            "spec": {"hosts": [HOST], "gateways": ["component-gateway"], "http": rules},
        }))
        .await;
    mesh.reaches("/a", "foreign").await;
    // Of two that were made within one second, Istio takes the one whose name comes first for the older.
    let made = mesh.0.objects.routes("canvas").get("foreign").await.unwrap().metadata.creation_timestamp.unwrap().0;
    let later = async || Timestamp::now().duration_since(made) >= SignedDuration::from_secs(1);
    mizzen_e2e::eventually("another second has begun", later).await;
    mesh.expose("catalog", "/a", &catalog).await;
    mesh.reaches("/a", "catalog").await;
    mesh.reaches("/a/items", "catalog").await;
    mesh.reaches("/a/v1", "foreign").await;
    mesh.reaches("/", "foreign").await;
    let api = mesh.0.objects.apis("shop").get("catalog").await.unwrap();
    let (_, reason, message) = mizzen_e2e::condition(&api, "PathExclusive").unwrap();
    assert_eq!(reason, "Overlap");
    assert!(
        message.ends_with("VirtualService canvas/foreign takes some of what is below it by a regular expression"),
        "{message}"
    );
}
