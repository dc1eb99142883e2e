//! Two thousand APIs behind one gateway: the cost of a change of one API, its cost for neighbours, and that a
//! new address of the gateway reaches all of them. That takes some 15 s with a development build of the host;
//! `mizzen-bench gateway` measures a release.

use std::time::Instant;

use kube::api::{ListParams, Patch, PatchParams};
use mizzen_e2e::{
    Condition, Objects, Operator, TestGroup, apply, condition, definitions, eventually, namespace, plugins, repository,
};
use mizzen_testcluster::ControlPlane;
use serde_json::{Value, json};

const MANY: usize = 2_000;
const NAMESPACE: &str = "components";
const RECONCILER: &str = "api-operator";

/// A gateway at an address, many APIs behind it, and an idle operator.
struct Published {
    objects: Objects,
    operator: Operator,
    _plugins: tempfile::TempDir,
    _cluster: ControlPlane,
}

/// The cost of a change for the operator.
#[derive(Debug)]
struct Cost {
    calls: u64,
    reads: u64,
    bytes: u64,
    writes: u64,
}

impl Published {
    async fn start() -> Option<Self> {
        let cluster = definitions().start_for_test().await?;
        for name in ["istio-system", "canvas", NAMESPACE] {
            namespace(&cluster, name).await;
        }
        let server = json!({"port": {"number": 443, "name": "https", "protocol": "HTTPS"}, "hosts": ["*"],
                            "tls": {"mode": "SIMPLE", "credentialName": "apis"}});
        let gateway = json!({"apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "component-gateway", "namespace": "canvas"},
            "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]}});
        let service = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system",
                "labels": {"istio": "ingressgateway"}},
            "spec": {"type": "LoadBalancer", "ports": [{"name": "https", "port": 443}]}});
        for document in [gateway, service] {
            cluster.apply_yaml(&document.to_string()).await.unwrap();
        }
        cluster.apply_path(&repository("plugins/api-operator/reconciler.yaml")).await.unwrap();
        let objects = Objects(cluster.client().unwrap());
        let plugins = plugins();
        let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
        let published = Self { objects, operator, _plugins: plugins, _cluster: cluster };
        published.move_gateway(&json!({"ip": "192.0.2.7"})).await;
        published.objects.create_apis(NAMESPACE, MANY).await;
        published.idle().await;
        assert_eq!(published.at("https://192.0.2.7/").await, MANY);
        Some(published)
    }

    /// Gives the gateway's Service another address, as a cloud's controller does.
    async fn move_gateway(&self, address: &Value) {
        let services = self.objects.within("istio-system", "v1", "Service", "services");
        let status = Patch::Merge(json!({"status": {"loadBalancer": {"ingress": [address]}}}));
        services.patch_status("istio-ingressgateway", &PatchParams::default(), &status).await.unwrap();
    }

    async fn idle(&self) {
        eventually("every API is ready and nothing is left to do", async || {
            self.operator.metric("mizzen_subjects", &[RECONCILER, "ready"]).await == MANY as u64
                && self.operator.is_idle().await
        })
        .await;
    }

    async fn count(&self) -> Cost {
        let of = async |name: &str| self.operator.metric(name, &[RECONCILER]).await;
        Cost {
            calls: of("mizzen_calls_total").await,
            reads: of("mizzen_reads_total").await,
            bytes: of("mizzen_read_bytes_total").await,
            writes: of("mizzen_writes_total").await,
        }
    }

    /// Returns the cost of a change that leads to at least this many calls, and prints it.
    async fn cost(&self, what: &str, calls: u64, change: impl AsyncFnOnce()) -> Cost {
        let before = self.count().await;
        let since = Instant::now();
        change().await;
        eventually(&format!("{what}: {calls} calls"), async || {
            self.operator.calls(RECONCILER).await >= before.calls + calls
        })
        .await;
        self.idle().await;
        let (took, after) = (since.elapsed(), self.count().await);
        let cost = Cost {
            calls: after.calls - before.calls,
            reads: after.reads - before.reads,
            bytes: after.bytes - before.bytes,
            writes: after.writes - before.writes,
        };
        eprintln!("{what}: {took:.2?}, {cost:?}");
        cost
    }

    /// Returns how many APIs have a URL that starts with a base.
    async fn at(&self, base: &str) -> usize {
        let all = self.objects.apis(NAMESPACE).list(&ListParams::default()).await.unwrap();
        let url = |api: &Value| api["status"]["apiStatus"]["url"].as_str().unwrap_or_default().to_owned();
        all.iter().filter(|api| url(&api.data).starts_with(base)).count()
    }

    async fn move_to(&self, name: &str, path: &str) {
        let moved = Patch::Merge(json!({"spec": {"path": path}}));
        self.objects.apis(NAMESPACE).patch(name, &PatchParams::default(), &moved).await.unwrap();
    }

    /// Returns the condition `PathExclusive` of an API.
    async fn path_exclusive(&self, name: &str) -> Condition {
        let api = self.objects.apis(NAMESPACE).get(name).await.unwrap();
        condition(&api, "PathExclusive").unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_one_api_in_two_thousand_costs_few_calls_and_a_new_address_reaches_all() {
    let _group = TestGroup::enter(module_path!());
    let Some(published) = Published::start().await else { return };

    // A free path: one call, and another when it reads its own route.
    let alone = published.cost("one API moves", 1, async || published.move_to("api-7", "/alone").await).await;
    assert!(alone.calls <= 3 && alone.bytes < 64 << 10, "{alone:?}");

    // A path below another API's: calls for these two of two thousand.
    let below = async || published.move_to("api-7", "/api-8/below").await;
    let overlap = published.cost("one API moves below another", 2, below).await;
    assert!(overlap.calls <= 5 && overlap.bytes < 64 << 10, "{overlap:?}");
    for (name, other) in [("api-7", "components/api-8"), ("api-8", "components/api-7")] {
        let found = published.path_exclusive(name).await;
        assert!(found.reason == "Overlap" && found.message.contains(other), "{name}: {found:?}");
    }
    assert_eq!(published.path_exclusive("api-9").await.reason, "Exclusive");
    let back = published.cost("it moves back", 2, async || published.move_to("api-7", "/api-7").await).await;
    assert!(back.calls <= 5, "{back:?}");
    assert_eq!(published.path_exclusive("api-8").await.reason, "Exclusive");

    // A route that Mizzen does not own, at the path of one of them.
    let foreign = json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "foreign"},
        "spec": {"hosts": ["*"], "gateways": ["canvas/component-gateway"], "http": [
            {"match": [{"uri": {"exact": "/api-9"}}], "route": [{"destination": {"host": "foreign"}}]}]}});
    let routes = published.objects.routes("canvas");
    let clash = published.cost("a foreign route clashes", 1, async || apply(&routes, &foreign).await).await;
    assert!(clash.calls <= 3, "{clash:?}");
    assert_eq!(published.path_exclusive("api-9").await.reason, "Clash");

    // Another address of the gateway, then a host name.
    for (address, base) in [
        (json!({"ip": "198.51.100.7"}), "https://198.51.100.7/"),
        (json!({"hostname": "apis.example.com"}), "https://apis.example.com/"),
    ] {
        let moved = async || published.move_gateway(&address).await;
        let cost = published.cost(&format!("the gateway moves to {base}"), MANY as u64, moved).await;
        assert_eq!(published.at(base).await, MANY);
        assert!((MANY as u64..MANY as u64 + 20).contains(&cost.calls), "one call each: {cost:?}");
        assert_eq!(cost.writes, MANY as u64, "one status each, and no route: {cost:?}");
    }
    published.operator.stop().await;
}
