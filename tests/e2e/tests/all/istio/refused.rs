//! Invalid versions and specs are refused, and change nothing.

use kube::api::{Patch, PatchParams};
use mizzen_e2e::istio::Mesh;
use mizzen_e2e::{TestGroup, eventually};
use serde_json::{Value, json};

/// Adds a renderer that is labelled with a version.
async fn offer(mesh: &Mesh, version: &str) {
    let renderer = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Renderer",
                          "metadata": {"name": format!("istio-{version}"),
                                       "labels": {"app": "istio-client", "istio.io/version": version}},
                          "spec": {"component": {"file": "istio-client-1.31.1.wasm"}}});
    mesh.cluster.apply_yaml(&renderer.to_string()).await.unwrap();
}

/// Edits the spec of the mesh; the error is the API server's.
async fn edit(mesh: &Mesh, spec: &Value) -> Result<(), kube::Error> {
    let edit = Patch::Merge(json!({"spec": spec}));
    mesh.istios().patch("default", &PatchParams::default(), &edit).await.map(drop)
}

#[tokio::test]
async fn an_invalid_version_or_spec_is_refused_and_changes_nothing() {
    let _group = TestGroup::enter(module_path!());
    let Some(mesh) = Mesh::start("1.31.1").await else { return };
    mesh.reaches("Ready").await;
    mesh.scaled().await;
    mesh.another_call_writes_nothing().await;
    versions_are_refused(&mesh).await;
    specs_are_refused(&mesh).await;
    mesh.stop().await;
}

async fn versions_are_refused(mesh: &Mesh) {
    let before = mesh.installed().await;
    for (version, why) in [
        ("1.31.0", "1.31.0 is lower than 1.31.1, and Istio does not support downgrades"),
        ("1.33.0", "1.33.0 is more than one minor version above 1.31.1: upgrade to 1.32 first"),
        ("2.0.0", "2.0.0 has another major version than 1.31.1"),
    ] {
        offer(mesh, version).await;
        mesh.configure("installation", &json!({"config": {"version": version}})).await;
        eventually(&format!("{version} is refused"), async || {
            mesh.reports("IstioInstalled", "IstioVersionUpdateNotAllowed").await.ends_with(why)
        })
        .await;
        mesh.reaches("Warning").await;
        mesh.settled().await;
        assert_eq!(mesh.installed().await, before, "{version}");
    }
    mesh.configure("installation", &json!({"config": {"version": "1.31.1"}})).await;
    mesh.reaches("Ready").await;
    assert_eq!(mesh.installed().await, before, "there was nothing to repair");
}

async fn specs_are_refused(mesh: &Mesh) {
    let before = mesh.installed().await;
    // The API server refuses what the schema excludes, and names the field.
    let invalid = [
        (json!({"config": {"forwardClientCertDetails": "FORWARD"}}), "config.forwardClientCertDetails"),
        (json!({"config": {"gatewayExternalTrafficPolicy": "local"}}), "config.gatewayExternalTrafficPolicy"),
        (json!({"config": {"numTrustedProxies": "two"}}), "config.numTrustedProxies"),
        (json!({"config": {"numTrustedProxies": -1}}), "config.numTrustedProxies"),
        (json!({"config": {"enableDNSProxying": "yes"}}), "config.enableDNSProxying"),
        (json!({"config": {"trustDomain": ""}}), "config.trustDomain"),
        (
            json!({"components": {"pilot": {"k8s": {"hpaSpec": {"minReplicas": "1"}}}}}),
            "components.pilot.k8s.hpaSpec.minReplicas",
        ),
    ];
    for (spec, field) in &invalid {
        let refusal = edit(mesh, spec).await.unwrap_err().to_string();
        assert!(refusal.contains(&format!("spec.{field}: ")), "{spec}: {refusal}");
    }
    // The plugin refuses what a schema can't express.
    let authorizer = |name: &str| json!({"name": name, "service": "oauth.auth.svc.cluster.local", "port": 8000});
    let twice = json!({"config": {"authorizers": [authorizer("a"), authorizer("b"), authorizer("a")]}});
    let regexps = json!({"config": {"proxyStatsMatcher": {"inclusionRegexps": ["ok.*", "("]}}});
    for (spec, field) in
        [(twice, "config.authorizers[2].name"), (regexps, "config.proxyStatsMatcher.inclusionRegexps[1]")]
    {
        is_invalid(mesh, &spec, field).await;
    }
    // The plugin refuses all of it when the definition in the cluster accepts everything.
    let definitions =
        mesh.objects.of("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions");
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
        "x-kubernetes-preserve-unknown-fields": true},
                                                         "status": {"type": "object",
                                                             "x-kubernetes-preserve-unknown-fields": true}}});
    let edit = json!([{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": schema}]);
    let edit = Patch::Json::<()>(serde_json::from_value(edit).unwrap());
    definitions.patch("istios.mizzen.dev", &PatchParams::default(), &edit).await.unwrap();
    for (spec, field) in &invalid {
        is_invalid(mesh, spec, field).await;
    }
    mesh.settled().await;
    assert_eq!(mesh.installed().await, before);
}

/// Edits the spec, waits until the plugin refuses it with the name of the field, and reverts the edit.
async fn is_invalid(mesh: &Mesh, spec: &Value, field: &str) {
    eventually("the API server accepts the edit", async || edit(mesh, spec).await.is_ok()).await;
    eventually(&format!("`{field}` is refused"), async || {
        let message = mesh.reports("IstioInstalled", "ValidationFailed").await;
        message.starts_with(&format!("`spec.{field}`: "))
    })
    .await;
    mesh.reaches("Error").await;
    edit(mesh, &json!({"config": null, "components": null})).await.unwrap();
    mesh.reaches("Ready").await;
}
