//! APIs of the ODA Canvas on a real control plane with Istio's own definitions: every shape is accepted, both
//! sides report a clash, annotations of Pods are set and removed, components summarise their APIs.

use kube::ResourceExt;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use mizzen_e2e::{
    Condition, Objects, Operator, TestGroup, apply, condition, eventually, plugins, repository, shipped_cluster,
};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

const NAMESPACE: &str = "components";

/// Starts a cluster with the shipped configuration, and a Service that APIs can name.
async fn canvas() -> Option<(ControlPlane, Objects)> {
    let (cluster, objects) = shipped_cluster().await?;
    let backend = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "catalog"},
        "spec": {"selector": {"app": "catalog"}, "ports": [{"name": "http", "port": 8080, "targetPort": 9090}]}});
    apply(&objects.within(NAMESPACE, "v1", "Service", "services"), &backend).await;
    Some((cluster, objects))
}

fn api(name: &str, spec: Value) -> Value {
    let mut spec = spec;
    for (field, value) in [("name", json!(name)), ("implementation", json!("catalog")), ("port", json!(8080))] {
        spec[field] = value;
    }
    if spec["apiType"].is_null() {
        spec["apiType"] = json!("openapi");
    }
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name}, "spec": spec})
}

async fn condition_of(apis: &Api<DynamicObject>, name: &str, kind: &str) -> Condition {
    condition(&apis.get(name).await.unwrap(), kind).unwrap_or_default()
}

#[tokio::test]
async fn every_shape_of_an_api_is_published_with_all_that_it_requests() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = canvas().await else { return };
    let apis = objects.apis(NAMESPACE);
    let limit = json!({"enabled": true, "limit": "100", "interval": "pm"});
    let origins = "https://a.example.com, https://*.b.example.com";
    let key = |key: &str| json!({"name": "scraper", "key": key});
    let auth = json!({"username": key("name"), "password": key("word")});
    let shapes = [
        ("root", json!({"path": "/", "hostname": "root.example.com", "rateLimit": limit})),
        ("limited", json!({"path": "/limited", "rateLimit": limit, "specification": [{"url": "https://a"}]})),
        (
            "cors",
            json!({"path": "/cors", "CORS": {"enabled": true, "allowCredentials": true, "allowOrigins": origins}}),
        ),
        (
            "preflight",
            json!({"path": "/preflight", "CORS": {"enabled": true, "handlePreflightRequests": {"enabled": false}}}),
        ),
        ("metrics", json!({"path": "/metrics", "apiType": "openmetrics", "basicAuth": auth})),
        ("tools", json!({"path": "/tools", "apiType": "mcp", "specification": {"url": "https://a", "version": "v1"}})),
    ];
    for (name, spec) in &shapes {
        apply(&apis, &api(name, spec.clone())).await;
    }
    let older = [("v1beta4", json!([{"url": "https://a"}])), ("v1beta3", json!(["https://a"]))];
    for (version, specification) in older {
        let of = format!("oda.tmforum.org/{version}");
        let mut older = api(version, json!({"path": format!("/{version}"), "specification": specification}));
        older["apiVersion"] = json!(of);
        apply(&objects.within(NAMESPACE, &of, "ExposedAPI", "exposedapis"), &older).await;
    }
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    let routes = objects.routes(NAMESPACE);
    for name in shapes.iter().map(|(name, _)| *name).chain(["v1beta4", "v1beta3"]) {
        eventually(&format!("{name} is published, and its status names its route"), async || {
            let api = apis.get(name).await.unwrap();
            let route = routes.get_opt(name).await.unwrap();
            route.is_some_and(|route| api.data["status"]["apiStatus"]["uid"] == json!(route.uid()))
        })
        .await;
        assert_eq!(condition_of(&apis, name, "PathExclusive").await.reason, "Exclusive");
        assert_eq!(condition_of(&apis, name, "Supported").await.reason, "Supported");
    }
    let filters = objects.within(NAMESPACE, "networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters");
    for name in ["root", "limited"] {
        let filter = filters.get(name).await.unwrap();
        assert_eq!(filter.data["spec"]["configPatches"][0]["match"]["listener"]["portNumber"], 9090);
    }
    let monitors = objects.within(NAMESPACE, "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors");
    assert_eq!(monitors.get("metrics").await.unwrap().data["spec"]["endpoints"][0]["basicAuth"], auth);
    apply(&apis, &api("metrics", json!({"path": "/metrics"}))).await;
    eventually("its metrics are not scraped", async || monitors.get_opt("metrics").await.unwrap().is_none()).await;
    operator.stop().await;
}

#[tokio::test]
async fn a_clash_is_reported_by_both_apis_and_a_component_summarises_its_apis() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = canvas().await else { return };
    let (here, there) = (objects.apis(NAMESPACE), objects.apis("canvas"));
    let of = ("oda.tmforum.org/v1", "Component", "components");
    let components = objects.within(NAMESPACE, of.0, of.1, of.2);
    apply(&components, &json!({"apiVersion": of.0, "kind": of.1, "metadata": {"name": "shop"}, "spec": {}})).await;
    let owner = components.get("shop").await.unwrap().uid();
    let mut part = api("a", json!({"path": "/same", "segment": "securityFunction"}));
    part["metadata"]["ownerReferences"] = json!([{"apiVersion": of.0, "kind": of.1, "name": "shop", "uid": owner}]);
    apply(&here, &part).await;
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    eventually("its path is exclusive", async || condition_of(&here, "a", "PathExclusive").await.reason == "Exclusive")
        .await;
    apply(&there, &api("b", json!({"path": "/same"}))).await;
    eventually("both report the clash", async || {
        let a = condition_of(&here, "a", "PathExclusive").await;
        let b = condition_of(&there, "b", "PathExclusive").await;
        let clashes = |found: &Condition, with: &str| found.reason == "Clash" && found.message.contains(with);
        clashes(&a, "canvas/b") && clashes(&b, "components/a")
    })
    .await;
    there.delete("b", &DeleteParams::default()).await.unwrap();
    // Without a controller manager there is no garbage collection: the test deletes the route.
    objects.routes("canvas").delete("b", &DeleteParams::default()).await.unwrap();
    eventually("its path is exclusive again", async || {
        condition_of(&here, "a", "PathExclusive").await.reason == "Exclusive"
    })
    .await;
    let entry = async || components.get("shop").await.unwrap().data["status"]["securityAPIs"][0].clone();
    eventually("its component lists it", async || entry().await["name"] == "a").await;
    assert_eq!(
        (entry().await["ready"].clone(), entry().await["url"].clone()),
        (json!(false), json!("https://apis.mesh.example.com/same"))
    );
    let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": "catalog-1", "labels": {"kubernetes.io/service-name": "catalog"}},
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": true}}]});
    apply(&objects.slices(NAMESPACE), &slice).await;
    eventually("its component reports that it is ready", async || entry().await["ready"] == true).await;
    operator.stop().await;
}

#[tokio::test]
async fn annotations_of_pod_templates_are_set_and_removed_with_their_api() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = canvas().await else { return };
    cluster.apply_path(&repository("plugins/metrics-annotations/reconciler.yaml")).await.unwrap();
    let deployments = objects.within(NAMESPACE, "apps/v1", "Deployment", "deployments");
    let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "catalog"},
        "spec": {"selector": {"matchLabels": {"app": "catalog"}}, "template": {
            "metadata": {"labels": {"app": "catalog"}, "annotations": {"other": "stays"}},
            "spec": {"containers": [{"name": "main", "image": "example.com/catalog:1"}]}}}});
    apply(&deployments, &workload).await;
    let apis = objects.apis(NAMESPACE);
    apply(&apis, &api("cat", json!({"path": "/metrics", "apiType": "prometheus"}))).await;
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    let annotations = async || {
        let workload = deployments.get("catalog").await.unwrap();
        let pods = workload.data["spec"]["template"]["metadata"]["annotations"].clone();
        (workload.annotations().get("oda.tmforum.org/metrics-of").cloned(), pods)
    };
    let set = json!({"other": "stays", "prometheus.io/scrape": "true", "prometheus.io/scheme": "http",
                     "prometheus.io/path": "/metrics", "prometheus.io/port": "9090"});
    let untouched = (None, json!({"other": "stays"}));
    eventually("the template is annotated", async || annotations().await == (Some("cat".into()), set.clone())).await;
    let retype = async |kind: &str| {
        let change = json!({"spec": {"apiType": kind}});
        apis.patch("cat", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    };
    retype("openapi").await;
    eventually("the annotations are removed with the type", async || annotations().await == untouched).await;
    retype("openmetrics").await;
    eventually("it is annotated again", async || annotations().await.1 == set).await;
    apis.delete("cat", &DeleteParams::default()).await.unwrap();
    eventually("the annotations are removed with the API", async || annotations().await == untouched).await;
    eventually("the API is gone", async || apis.get_opt("cat").await.unwrap().is_none()).await;
    operator.stop().await;
}
