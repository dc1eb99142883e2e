//! Applications on a real API server: Istio's own definitions accept all objects, two reconcilers share no
//! object, and everything is removed at the end.

use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use mizzen_e2e::{Objects, Operator, TestGroup, apply, condition, definitions, eventually, plugins, repository};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The label of objects that the operator applied.
const OWNED: &str = "mizzen.dev/reconciler";

/// A cluster with two namespaces, each with an application and a trait of the same names.
struct Applications {
    objects: Objects,
    _operator: Operator,
    _plugins: TempDir,
    _cluster: ControlPlane,
}

impl Applications {
    async fn start() -> Option<Self> {
        let cluster = definitions().controller_manager().start_for_test().await?;
        let objects = Objects(cluster.client().unwrap());
        for plugin in ["application", "application-ingress"] {
            cluster.apply_path(&repository(&format!("plugins/{plugin}/reconciler.yaml"))).await.unwrap();
        }
        for (name, labels) in
            [("istio-system", json!({})), ("shop", json!({"istio-injection": "enabled"})), ("yard", json!({}))]
        {
            let namespace =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
            cluster.apply_yaml(&namespace.to_string()).await.unwrap();
        }
        let plugins = plugins();
        let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
        let all = Self { objects, _operator: operator, _plugins: plugins, _cluster: cluster };
        for namespace in ["shop", "yard"] {
            apply(&all.applications(namespace), &application(namespace)).await;
            apply(&all.traits(namespace), &ingress(namespace)).await;
        }
        Some(all)
    }

    fn applications(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = ("core.oam.dev/v1alpha2", "ApplicationConfiguration", "applicationconfigurations");
        self.objects.within(namespace, kind.0, kind.1, kind.2)
    }

    fn traits(&self, namespace: &str) -> Api<DynamicObject> {
        self.objects.within(namespace, "oam.verrazzano.io/v1alpha1", "IngressTrait", "ingresstraits")
    }

    fn gateways(&self, namespace: &str) -> Api<DynamicObject> {
        self.objects.within(namespace, "networking.istio.io/v1", "Gateway", "gateways")
    }

    fn monitors(&self) -> Api<DynamicObject> {
        self.objects.within("shop", "monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors")
    }

    /// Returns the objects that the operator applied in a namespace, as `kind name`.
    async fn owned(&self, namespace: &str) -> Vec<String> {
        let kinds = [
            ("networking.istio.io/v1", "Gateway", "gateways"),
            ("networking.istio.io/v1", "VirtualService", "virtualservices"),
            ("networking.istio.io/v1", "DestinationRule", "destinationrules"),
            ("security.istio.io/v1", "AuthorizationPolicy", "authorizationpolicies"),
            ("cert-manager.io/v1", "Certificate", "certificates"),
            ("v1", "ServiceAccount", "serviceaccounts"),
            ("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors"),
        ];
        let mut owned = Vec::new();
        for (api_version, kind, plural) in kinds {
            let api = self.objects.within(namespace, api_version, kind, plural);
            let all = api.list_metadata(&ListParams::default().labels(OWNED)).await.unwrap();
            owned
                .extend(all.items.into_iter().filter_map(|own| own.metadata.name).map(|name| format!("{kind} {name}")));
        }
        owned
    }

    async fn published(&self, namespace: &str) {
        eventually(&format!("the trait in {namespace} is published"), async || {
            let found = self.traits(namespace).get("web").await.unwrap();
            condition(&found, "Published").is_some_and(|found| found.status == "True")
                && condition(&found, "Synced").is_some_and(|found| found.status == "True")
                && condition(&found, "mizzen.dev/application-ingress").is_some_and(|found| found.status == "True")
        })
        .await;
    }
}

fn application(namespace: &str) -> Value {
    json!({
        "apiVersion": "core.oam.dev/v1alpha2", "kind": "ApplicationConfiguration",
        "metadata": {"name": "store", "namespace": namespace}, "spec": {"components": [{"componentName": "cart"}]},
    })
}

/// Returns a trait that uses every field.
fn ingress(namespace: &str) -> Value {
    let policy = json!({"rules": [
        {"from": {"requestPrincipals": ["*"]}, "when": [{"key": "request.auth.claims[role]", "values": ["admin"]}]},
    ]});
    let cookie = json!({"name": "session", "path": "/", "ttl": 600});
    json!({
        "apiVersion": "oam.verrazzano.io/v1alpha1", "kind": "IngressTrait",
        "metadata": {"name": "web", "namespace": namespace, "labels": {"app.oam.dev/name": "store"}},
        "spec": {"rules": [{
            "hosts": [format!("{namespace}.example.com")],
            "paths": [
                {"path": "/"}, {"path": "/admin", "authorizationPolicy": policy}, {"path": "/v[0-9]+",
                    "pathType": "regex"},
            ],
            "destination": {"host": "cart", "port": 8080, "httpCookie": cookie},
        }]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_published_protected_and_monitored_and_removed_completely() {
    let _group = TestGroup::enter(module_path!());
    let Some(all) = Applications::start().await else { return };
    for namespace in ["shop", "yard"] {
        all.published(namespace).await;
    }
    let owned = all.owned("istio-system").await;
    let of = |kind: &str| owned.iter().filter(|own| own.starts_with(kind)).count();
    assert_eq!((of("AuthorizationPolicy "), of("Certificate ")), (2, 2), "one name in two namespaces: {owned:?}");
    let expected = [
        "Gateway shop-store-gw",
        "VirtualService web-rule-0-vs",
        "DestinationRule web-rule-0-dr",
        "AuthorizationPolicy store",
        "ServiceAccount store",
    ];
    assert_eq!(all.owned("shop").await, expected);
    assert_eq!(all.owned("yard").await.len(), 4, "without sidecars there is no AuthorizationPolicy");

    // A pod whose metrics are scraped: only its annotations request that.
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "cart-0", "namespace": "shop",
            "labels": {"app.oam.dev/name": "store", "app.oam.dev/component": "cart"},
            "annotations": {"verrazzano.io/metricsEnabled": "true", "verrazzano.io/metricsPort": "8080"},
        },
        "spec": {"serviceAccountName": "store", "containers": [{"name": "a", "image": "a"}]},
    });
    apply(&all.objects.within("shop", "v1", "Pod", "pods"), &pod).await;
    eventually("its metrics are scraped", async || all.monitors().get_opt("store-shop-cart").await.unwrap().is_some())
        .await;

    // Two traits share one Gateway: deleting one trait removes one server.
    let mut second = ingress("shop");
    second["metadata"]["name"] = json!("more");
    second["spec"]["rules"][0]["hosts"] = json!(["more.example.com"]);
    apply(&all.traits("shop"), &second).await;
    let servers = async |count: usize| {
        eventually(&format!("the Gateway has {count} servers"), async || {
            let gateway = all.gateways("shop").get("shop-store-gw").await.unwrap();
            gateway.data["spec"]["servers"].as_array().is_some_and(|servers| servers.len() == count)
        })
        .await;
    };
    servers(2).await;
    all.traits("shop").delete("more", &DeleteParams::background()).await.unwrap();
    servers(1).await;

    for namespace in ["shop", "yard"] {
        all.traits(namespace).delete("web", &DeleteParams::background()).await.unwrap();
        all.applications(namespace).delete("store", &DeleteParams::background()).await.unwrap();
    }
    eventually("every owned object is deleted", async || {
        let mut left = Vec::new();
        for namespace in ["shop", "yard", "istio-system"] {
            left.extend(all.owned(namespace).await);
        }
        left.is_empty()
    })
    .await;
}
