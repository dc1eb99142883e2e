//! Egress from the mesh, on a real API server with Istio's own definitions.

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_e2e::{Objects, Operator, TestGroup, condition, eventually, plugins, repository};
use mizzen_istio_tests::egress::{EXTERNAL_HOSTS, emitted};
use mizzen_testcluster::{Assets, ControlPlane, Manifests, Program};
use serde_json::{Value, json};

const NAMESPACE: &str = "{apiVersion: v1, kind: Namespace, metadata: {name: shapes}}";

fn entries(objects: &Objects) -> Api<DynamicObject> {
    objects.within("shapes", "networking.istio.io/v1", "ServiceEntry", "serviceentries")
}

fn lists(objects: &Objects) -> Api<DynamicObject> {
    objects.within("shapes", "mizzen.dev/v1alpha1", "ExternalHosts", "externalhosts")
}

#[tokio::test]
async fn every_shape_is_accepted_by_istios_own_definitions() {
    let _group = TestGroup::enter(module_path!());
    let Some(cluster) = ControlPlane::builder().mesh_crds().start_for_test().await else { return };
    cluster.apply_yaml(NAMESPACE).await.unwrap();
    let objects = Objects(cluster.client().unwrap());
    let (entries, routes) = (entries(&objects), objects.routes("shapes"));
    for emitted in emitted().unwrap() {
        let api = if emitted["kind"] == "ServiceEntry" { &entries } else { &routes };
        let name = emitted["metadata"]["name"].as_str().unwrap();
        let strict =
            PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..PatchParams::apply("a") };
        let there = api.patch(name, &strict, &Patch::Apply(&emitted)).await;
        let there = there.unwrap_or_else(|refused| unreachable!("{refused}: {emitted:#}"));
        assert_eq!(there.data["spec"], emitted["spec"], "nothing is dropped");
    }
    assert!(entries.list(&ListParams::default()).await.unwrap().items.len() > 10);
}

#[tokio::test]
async fn lists_are_validated_by_the_api_server_and_reconciled_after_each_change() {
    let _group = TestGroup::enter(module_path!());
    let builder = ControlPlane::builder().controller_manager().crds(repository("deploy/crds"));
    let Some(cluster) = builder.start_for_test().await else { return };
    cluster.apply_yaml(NAMESPACE).await.unwrap();
    cluster.apply_path(&repository("plugins/egress-hosts/reconciler.yaml")).await.unwrap();
    let objects = Objects(cluster.client().unwrap());
    for (line, why) in [
        (
            json!({"host": "a.example.com", "ip": "10.0.0.1", "port": 443, "protocol": "HTTPS"}),
            "write one of `host`, `ip` and `cidr`",
        ),
        (json!({"port": 443}), "write one of `host`, `ip` and `cidr`"),
        (json!({"host": "a.example.com", "port": 443}), "a host needs a `protocol`"),
        (json!({"ip": "10.0.0.1", "port": 443, "protocol": "HTTP"}), "omit `protocol`"),
        (json!({"ip": "10.0.0.1", "port": 70000}), "spec.hosts[0].port"),
        (json!({"host": "a.example.com", "port": 443, "protocol": "UDP"}), "spec.hosts[0].protocol"),
    ] {
        let list = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "ExternalHosts",
                          "metadata": {"name": "wrong"}, "spec": {"hosts": [line]}});
        let refused =
            lists(&objects).patch("wrong", &PatchParams::apply("user"), &Patch::Apply(&list)).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }

    // Istio is not installed.
    cluster.apply_yaml(EXTERNAL_HOSTS).await.unwrap();
    let plugins = plugins();
    let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    let reports = async |reason: &str| {
        let list = lists(&objects).get("every-shape").await.unwrap();
        condition(&list, "Allowed").is_some_and(|found| found.reason == reason)
    };
    eventually("the list reports that Istio is missing", async || reports("IstioMissing").await).await;
    let istio = Assets::find_or_build_only(&[] as &[Program], &[Manifests::IstioCrds]).unwrap();
    for file in istio.manifests(Manifests::IstioCrds).unwrap() {
        cluster.install_crds(file).await.unwrap();
    }
    eventually("it is reconciled once Istio is installed", async || reports("Allowed").await).await;
    let names = async || {
        let there = entries(&objects).list(&ListParams::default()).await.unwrap();
        there.items.into_iter().filter_map(|entry| entry.metadata.name).collect::<Vec<_>>()
    };
    let status = lists(&objects).get("every-shape").await.unwrap().data["status"].clone();
    let mut reported: Vec<_> =
        status["entries"].as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    reported.sort();
    assert_eq!(names().await, reported);

    // An invalid line is named, and the existing entries stay.
    let wrong = json!({"spec": {"hosts": [{"host": "one.example.com", "port": 443, "protocol": "HTTPS"},
        {"host": "a_b", "port": 443, "protocol": "HTTPS"}]}});
    lists(&objects).patch("every-shape", &PatchParams::default(), &Patch::Merge(&wrong)).await.unwrap();
    eventually("the invalid line is named", async || {
        let list = lists(&objects).get("every-shape").await.unwrap();
        condition(&list, "Allowed").is_some_and(|found| {
            found.status == "False" && found.reason == "Invalid" && found.message.starts_with("`spec.hosts[1].host`: ")
        })
    })
    .await;
    assert_eq!(names().await, reported);
    let right = json!({"spec": {"hosts": [{"host": "one.example.com", "port": 443, "protocol": "HTTPS"}]}});
    lists(&objects).patch("every-shape", &PatchParams::default(), &Patch::Merge(&right)).await.unwrap();
    eventually("the rest is pruned", async || names().await == ["every-shape-fqdn"]).await;
    eventually("it is allowed again", async || reports("Allowed").await).await;

    lists(&objects).delete("every-shape", &DeleteParams::default()).await.unwrap();
    eventually("its entries are deleted with it", async || names().await.is_empty()).await;
    operator.stop().await;
}
