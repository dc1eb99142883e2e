//! The baseline: what `api-operator` wants, done by a native kube-rs controller as one would write it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::runtime::controller::{Action, Controller};
use kube::runtime::reflector::{ObjectRef, Store, reflector};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

const MANAGER: &str = "native";

struct Context {
    client: Client,
    slices: Store<EndpointSlice>,
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

fn exposed_api() -> ApiResource {
    resource("oda.tmforum.org/v1", "ExposedAPI", "exposedapis")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let client = Client::try_default().await?;
    let streaming = || watcher::Config::default().streaming_lists();
    let (slices, writer) = kube::runtime::reflector::store();
    let all: Api<EndpointSlice> = Api::all(client.clone());
    let touched = reflector(writer, watcher(all, streaming()).modify(|slice| slice.managed_fields_mut().clear()))
        .touched_objects();
    let apis: Api<DynamicObject> = Api::all_with(client.clone(), &exposed_api());
    let controller = Controller::new_with(apis, streaming(), exposed_api());
    let known = controller.store();
    let of_service = move |slice: EndpointSlice| {
        let service = slice.labels().get("kubernetes.io/service-name").cloned().unwrap_or_default();
        let concerned = known.state().into_iter().filter(|api| {
            api.data["spec"]["implementation"] == service.as_str() && api.namespace() == slice.namespace()
        });
        concerned.map(|api| ObjectRef::from_obj_with(&*api, exposed_api())).collect::<Vec<_>>()
    };
    let context = Arc::new(Context { client, slices });
    let again = |_: Arc<DynamicObject>, _: &kube::Error, _: Arc<Context>| Action::requeue(Duration::from_secs(1));
    controller
        .watches_stream(touched, of_service)
        .with_config(kube::runtime::controller::Config::default().concurrency(32))
        .run(reconcile, again, context)
        .for_each(async |_| {})
        .await;
    Ok(())
}

async fn reconcile(api: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, kube::Error> {
    let (name, namespace) = (api.name_any(), api.namespace().unwrap_or_default());
    let spec = &api.data["spec"];
    let service = spec["implementation"].as_str().unwrap_or_default();
    let path = spec["path"].as_str().unwrap_or_default().trim_end_matches('/');
    let owner = json!([{"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "name": name, "uid": api.uid(), "controller": true}]);
    let metadata = json!({"name": name, "namespace": namespace, "ownerReferences": owner});
    let routes = resource("networking.istio.io/v1", "VirtualService", "virtualservices");
    let route = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": metadata, "spec": {
        "hosts": ["*"], "gateways": ["canvas/component-gateway"],
        "http": [{"match": [{"uri": {"exact": path}}, {"uri": {"prefix": format!("{path}/")}}],
                  "route": [{"destination": {"host": service, "port": {"number": spec["port"]}}}]}]}});
    apply(&context.client, &namespace, &routes, &name, &route).await?;
    if matches!(spec["apiType"].as_str(), Some("prometheus" | "openmetrics")) {
        let monitors = resource("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors");
        let monitor = json!({"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": metadata, "spec": {
            "selector": {"matchLabels": {"name": service}},
            "endpoints": [{"path": spec["path"], "interval": "15s", "scheme": "http", "targetPort": spec["port"]}]}});
        apply(&context.client, &namespace, &monitors, &name, &monitor).await?;
    }
    let ready = context.slices.state().iter().any(|slice| {
        slice.labels().get("kubernetes.io/service-name").is_some_and(|own| own == service)
            && slice.namespace().is_some_and(|own| own == namespace)
            && slice
                .endpoints
                .iter()
                .any(|endpoint| endpoint.conditions.as_ref().is_none_or(|c| c.ready != Some(false)))
    });
    let status = json!({"apiStatus": {"name": name, "path": spec["path"], "port": spec["port"], "implementation": service}, "implementation": {"ready": ready}});
    if api.data["status"] != status {
        let document = json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name}, "status": status});
        apply(&context.client, &namespace, &exposed_api(), &name, &document).await?;
    }
    Ok(Action::await_change())
}

async fn apply(
    client: &Client,
    namespace: &str,
    resource: &ApiResource,
    name: &str,
    document: &Value,
) -> Result<(), kube::Error> {
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(document)).await.map(drop)
}
