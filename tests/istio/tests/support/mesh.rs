//! The objects that `installation` desires for a real rendering of Istio, and those of its
//! successors, with the settings of `deploy/mesh.yaml`.

use std::sync::Arc;

use mizzen_plugin_gateway::Gateway;
use mizzen_plugin_injector::Injector;
use mizzen_plugin_installation::Installation;
use mizzen_plugin_monitoring::Monitoring;
use mizzen_plugin_mtls::Mtls;
use mizzen_sdk::renderers::RenderError;
use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{Outcome, Readiness};
use serde_json::{Value, json};

use super::Client;
use super::compare::VERSION;

/// The number of steps of an installation, and one more to see that it is ready.
const STEPS: usize = 5;

fn subject(spec: &Value) -> String {
    json!({
        "apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio", "spec": spec,
        "metadata": {"name": "default", "namespace": "istio-system", "creationTimestamp": "2026-01-02T00:00:00Z"},
    })
    .to_string()
}

/// All objects that `installation` desires for a mesh with this spec, after all of its steps.
pub fn installed(client: &Arc<Client>, spec: &Value) -> Vec<Value> {
    let (istio, client) = (subject(spec), Arc::clone(client));
    let node = "{apiVersion: v1, kind: Node, metadata: {name: node}, status: {capacity: {cpu: '16', memory: 64Gi}}}";
    let render = move |document: &Value| {
        let rendering = client.render(document);
        let errors = rendering.messages("error");
        if errors.is_empty() { Ok(rendering.items) } else { Err(RenderError::Rejected(format!("{errors:?}"))) }
    };
    let labels = [("istio.io/version", VERSION)];
    let mut cluster = Cluster::new().with(&istio).with(node).with_renderer("istio", &labels, render);
    for _ in 0..STEPS {
        let Outcome { readiness, desired, .. } =
            testing::reconcile::<Installation>(&cluster, &istio, &json!({})).unwrap();
        let wanted = desired.unwrap_or_else(|| panic!("nothing is desired for {spec}: {readiness:?}"));
        if readiness == Readiness::Ready {
            return wanted;
        }
        cluster = wanted.iter().fold(cluster, |cluster, own| cluster.with(&up(own.clone()).to_string()));
    }
    panic!("it does not become ready with {spec}")
}

/// An object in a cluster after the host applied it and its controllers reported it as ready.
fn up(mut object: Value) -> Value {
    object["metadata"]["labels"]["mizzen.dev/owner"] = json!("installation");
    object["metadata"]["generation"] = json!(1);
    object["status"] = json!({
        "observedGeneration": 1, "conditions": [{"type": "Established", "status": "True"}], "storedVersions": ["v1"],
        "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1,
    });
    object
}

/// All objects that `gateway`, `mtls` and `monitoring` desire, including dashboards.
pub fn around() -> Vec<Value> {
    let gateway =
        json!({"domain": "mesh.example.com", "certificateSecret": "mesh-example-com", "minTlsVersion": "TLSV1_2"});
    let monitoring = json!({"domain": "mesh.example.com", "gateway": "istio-system/default",
        "namespace": "istio-system",
                            "dashboards": {"enabled": true}});
    let (istio, cluster) = (subject(&json!({})), Cluster::new());
    let outcomes = [
        testing::reconcile::<Gateway>(&cluster, &istio, &gateway),
        testing::reconcile::<Mtls>(&cluster, &istio, &json!({"mode": "STRICT"})),
        testing::reconcile::<Monitoring>(&cluster, &istio, &monitoring),
    ];
    outcomes.into_iter().flat_map(|outcome| outcome.unwrap().desired.unwrap()).collect()
}

/// The injector's webhooks among the installed objects, after `injector` patched them.
pub fn patched(installed: &[Value]) -> Vec<Value> {
    let excluded = "{apiVersion: v1, kind: Namespace, metadata: {name: garden, labels: {purpose: system}}}";
    let cluster = installed.iter().fold(Cluster::new().with(excluded), |cluster, own| cluster.with(&own.to_string()));
    let config = json!({"excludeNamespaces": ["purpose=system"]});
    let outcome = testing::reconcile::<Injector>(&cluster, &subject(&json!({})), &config).unwrap();
    assert!(!outcome.patches.is_empty());
    let patched = |patch: &mizzen_sdk::Patch| {
        let of = |own: &&Value| own["kind"] == *patch.object.kind.name && own["metadata"]["name"] == *patch.object.name;
        let mut object = installed.iter().find(of).unwrap().clone();
        // As server-side apply merges them: by name.
        for own in patch.fragment["webhooks"].as_array().unwrap() {
            let all = object["webhooks"].as_array_mut().unwrap();
            let webhook = all.iter_mut().find(|webhook| webhook["name"] == own["name"]).unwrap();
            webhook["matchConditions"] = own["matchConditions"].clone();
        }
        object
    };
    outcome.patches.iter().map(patched).collect()
}
