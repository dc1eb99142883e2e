//! Objects of the test cluster, by kind.

use std::collections::BTreeMap;

use futures::StreamExt;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::discovery::{ApiGroup, Discovery, verbs};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

/// Reads and writes objects as a user does.
#[derive(Clone)]
pub struct Objects(pub Client);

impl Objects {
    /// The objects of a kind, e.g. `networking.istio.io/v1`, `VirtualService`, `virtualservices`.
    pub fn of(&self, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        Api::all_with(self.0.clone(), &resource(api_version, kind, plural))
    }

    /// The objects of a kind in a namespace.
    pub fn within(&self, namespace: &str, api_version: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.0.clone(), namespace, &resource(api_version, kind, plural))
    }

    /// The `VirtualServices` of a namespace.
    pub fn routes(&self, namespace: &str) -> Api<DynamicObject> {
        self.within(namespace, "networking.istio.io/v1", "VirtualService", "virtualservices")
    }

    /// The `ExposedAPIs` of a namespace.
    pub fn apis(&self, namespace: &str) -> Api<DynamicObject> {
        self.within(namespace, "oda.tmforum.org/v1", "ExposedAPI", "exposedapis")
    }

    /// The `EndpointSlices` of a namespace.
    pub fn slices(&self, namespace: &str) -> Api<DynamicObject> {
        self.within(namespace, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices")
    }

    /// The `Reconcilers`.
    pub fn reconcilers(&self) -> Api<DynamicObject> {
        self.of("mizzen.dev/v1alpha1", "Reconciler", "reconcilers")
    }

    /// Creates APIs `api-0`, `api-1`, … with ready endpoints, 16 at a time.
    pub async fn create_apis(&self, namespace: &str, count: usize) {
        let create = |at: usize| async move {
            let name = format!("api-{at}");
            apply(&self.slices(namespace), &slice(&name)).await;
            apply(&self.apis(namespace), &api(&name)).await;
        };
        futures::stream::iter(0..count).for_each_concurrent(16, create).await;
    }

    /// Returns how many APIs report that their implementation is ready.
    pub async fn ready_apis(&self, namespace: &str) -> usize {
        let all = self.apis(namespace).list(&ListParams::default()).await;
        let ready = |api: &DynamicObject| api.data["status"]["implementation"]["ready"] == true;
        all.map_or(0, |all| all.iter().filter(|api| ready(api)).count())
    }

    /// Returns the objects of every kind that a label selector matches: by `kind namespace/name`, the
    /// version of each.
    pub async fn labelled(&self, selector: &str) -> BTreeMap<String, String> {
        let discovery = Discovery::new(self.0.clone()).run().await.unwrap();
        let mut found = BTreeMap::new();
        for (resource, capabilities) in discovery.groups().flat_map(ApiGroup::recommended_resources) {
            if !capabilities.supports_operation(verbs::LIST)
                || resource.kind == "ComponentStatus" && resource.group.is_empty()
            {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(self.0.clone(), &resource);
            for own in api.list_metadata(&ListParams::default().labels(selector)).await.unwrap() {
                let name = format!("{} {}/{}", resource.kind, own.namespace().unwrap_or_default(), own.name_any());
                // The generation leaves out writes of the status by other controllers. Autoscalers have none.
                let version = match own.metadata.generation {
                    Some(generation) => generation.to_string(),
                    None if resource.kind == "HorizontalPodAutoscaler" => own.uid().unwrap_or_default(),
                    None => own.resource_version().unwrap_or_default(),
                };
                found.insert(name, version);
            }
        }
        found
    }

    /// Returns how many `VirtualServices` a namespace has.
    pub async fn count_routes(&self, namespace: &str) -> usize {
        self.routes(namespace).list_metadata(&ListParams::default()).await.map_or(0, |all| all.items.len())
    }
}

/// Applies a document server-side, as a user with kubectl does.
pub async fn apply(api: &Api<DynamicObject>, document: &Value) {
    let name = document["metadata"]["name"].as_str().unwrap();
    api.patch(name, &PatchParams::apply("kubectl").force(), &Patch::Apply(document)).await.unwrap();
}

/// A condition of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, as one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

/// Returns the condition of a type in an object's status.
pub fn condition(object: &DynamicObject, kind: &str) -> Option<Condition> {
    let all = object.data["status"]["conditions"].as_array()?;
    let found = all.iter().find(|condition| condition["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    Some(Condition { status: text("status"), reason: text("reason"), message: text("message") })
}

/// Returns the names, labels and specs of objects: without versions and times.
pub fn state(objects: &[DynamicObject]) -> Vec<Value> {
    let essence = |object: &DynamicObject| {
        let labels = object.labels();
        json!({"name": object.name_any(), "labels": labels, "spec": object.data["spec"]})
    };
    objects.iter().map(essence).collect()
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

fn api(name: &str) -> Value {
    json!({"apiVersion": "oda.tmforum.org/v1", "kind": "ExposedAPI", "metadata": {"name": name},
           "spec": {"name": name, "apiType": "openapi", "implementation": name, "path": format!("/{name}"),
               "port": 8080}})
}

fn slice(service: &str) -> Value {
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
           "metadata": {"name": format!("{service}-1"), "labels": {"kubernetes.io/service-name": service}},
           "ports": [{"name": "http", "port": 8080}],
           "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": true}}]})
}
