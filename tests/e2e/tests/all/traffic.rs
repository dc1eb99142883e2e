//! Real traffic: the operator creates the route of an ExposedAPI, istiod configures an Envoy with it, and
//! requests reach the backend.

use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, Patch, PatchParams};
use mizzen_e2e::ingress::Ingress;
use mizzen_e2e::{TestGroup, shipped};
use mizzen_traffic::{Backend, Request, Response};
use serde_json::{Value, json};

/// The host of the APIs.
const HOST: &str = "apis.example.com";

/// A mesh with only the reconciler of APIs.
struct Mesh(Ingress);

impl Mesh {
    async fn start() -> Option<Self> {
        let mesh = Ingress::start(&["canvas", "shop"], &[reconciler()]).await?;
        mesh.listen("canvas", "component-gateway", &["*"]).await;
        Some(Self(mesh))
    }

    /// Publishes an API of a Service that a backend serves.
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

    /// Sends a request for a path.
    async fn get(&self, path: &str) -> Response {
        self.0.send(&Request::get(HOST, path)).await.unwrap()
    }

    /// Waits until a backend serves a path.
    async fn reaches(&self, path: &str, backend: &str) {
        let body = format!("{backend} {path}");
        self.0.until(&Request::get(HOST, path), |response| response.is(200, &body)).await;
    }

    /// Waits until a path has no route.
    async fn has_no_route(&self, path: &str) {
        self.0.until(&Request::get(HOST, path), is_without_route).await;
    }
}

/// Whether a response is Envoy's own for a path without a route.
fn is_without_route(response: &Response) -> bool {
    response.is(404, "")
}

/// Returns the shipped reconciler of APIs, for the host of this test.
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
    // The route is active, so paths that it does not match are final.
    assert!(is_without_route(&mesh.get("/ab").await));
    assert!(is_without_route(&mesh.get("/").await));

    // An API whose path has the same beginning.
    mesh.expose("orders", "/ab", &orders).await;
    mesh.reaches("/ab", "orders").await;
    mesh.reaches("/a", "catalog").await;

    mesh.move_to("catalog", "/c").await;
    mesh.reaches("/c/items", "catalog").await;
    mesh.has_no_route("/a").await;
    mesh.reaches("/ab", "orders").await;

    mesh.0.objects.apis("shop").delete("catalog", &DeleteParams::background()).await.unwrap();
    mesh.has_no_route("/c/items").await;
    mesh.reaches("/ab", "orders").await;
}

/// The reason why only a route with a regular expression is reported as an overlap.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_route_gets_only_unpublished_paths_unless_it_matches_by_regular_expression() {
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
    // Of two routes from the same second, Istio takes the one with the lower name as the older.
    let made = mesh.0.objects.routes("canvas").get("foreign").await.unwrap().metadata.creation_timestamp.unwrap().0;
    let later = async || Timestamp::now().duration_since(made) >= SignedDuration::from_secs(1);
    mizzen_e2e::eventually("another second has begun", later).await;
    mesh.expose("catalog", "/a", &catalog).await;
    mesh.reaches("/a", "catalog").await;
    mesh.reaches("/a/items", "catalog").await;
    mesh.reaches("/a/v1", "foreign").await;
    mesh.reaches("/", "foreign").await;
    let api = mesh.0.objects.apis("shop").get("catalog").await.unwrap();
    let found = mizzen_e2e::condition(&api, "PathExclusive").unwrap();
    assert_eq!(found.reason, "Overlap");
    assert!(
        found.message.ends_with("VirtualService canvas/foreign matches some paths below it, by a regular expression"),
        "{found:?}"
    );
}
