//! A DynaKube on a real API server, with the shipped configuration and a real HTTPS server as the Dynatrace
//! API: before and after Istio's definitions are installed, while hosts change, while the API is down and
//! entries are deleted, until the DynaKube is deleted.
//!
//! Other responses of the API are tested in `tests/egress`, the objects in `plugins/egress`.

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_e2e::{Objects, Operator, TestGroup, apply, condition, eventually, namespace, plugins, repository, shipped};
use mizzen_egress_tests::{API, naming};
use mizzen_testcluster::{Assets, ControlPlane, Manifests, Program};
use mizzen_testhttps::{Proxy, Response, Server};
use serde_json::{Value, json};

const NAMESPACE: &str = "dynatrace";
const GATE: &str = "https://gate.example.com:9999/communication,https://203.0.113.7:9999/communication";
const AGENT: &str = "https://agent.example.com:443/communication";

/// A cluster with a DynaKube, its API, and the proxy that leads to the API.
struct Stage {
    api: Server,
    proxy: Proxy,
    objects: Objects,
    operator: Operator,
    plugins: tempfile::TempDir,
    cluster: ControlPlane,
}

impl Stage {
    /// Starts without Istio's definitions.
    async fn start() -> Option<Self> {
        let builder = ControlPlane::builder().controller_manager();
        let builder = builder.crds(repository("deploy/crds")).crds(repository("deploy/samples/crds"));
        let cluster = builder.start_for_test().await?;
        let api = Server::start(&[API], naming(GATE, AGENT)).await;
        let proxy = Proxy::to(api.port()).await;
        let objects = Objects(cluster.client().unwrap());
        let of = |kind: &str, name: &str, content: Value| {
            let mut object =
                json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}});
            object.as_object_mut().unwrap().extend(content.as_object().unwrap().clone());
            object.to_string()
        };
        namespace(&cluster, NAMESPACE).await;
        for document in [
            of("Secret", "tokens", json!({"stringData": {"apiToken": "t0ken"}})),
            of("ConfigMap", "authorities", json!({"data": {"certs": api.authority()}})),
            configuration(&proxy).to_string(),
        ] {
            cluster.apply_yaml(&document).await.unwrap();
        }
        let kube = json!({"apiVersion": "dynatrace.com/v1beta6", "kind": "DynaKube", "metadata": {"name": "prod"},
            "spec": {"apiUrl": format!("https://{API}/api"), "enableIstio": true, "tokens": "tokens",
                     "trustedCAs": "authorities", "dynatraceApiRequestThreshold": 0}});
        apply(&kubes(&objects), &kube).await;
        let plugins = plugins();
        let operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
        Some(Self { api, proxy, objects, operator, plugins, cluster })
    }

    async fn install_istio(&self) {
        let istio = Assets::find_or_build_only(&[] as &[Program], &[Manifests::IstioCrds]).unwrap();
        for file in istio.manifests(Manifests::IstioCrds).unwrap() {
            self.cluster.install_crds(file).await.unwrap();
        }
    }

    /// Replaces the operator by one without memory.
    async fn restart(self) -> Self {
        self.operator.stop().await;
        let operator = Operator::start(&self.cluster.kubeconfig_path(), self.plugins.path()).await;
        Self { operator, ..self }
    }

    /// Causes another request to the API, as there is one every 15 minutes at the latest.
    async fn request_again(&self) {
        let before = self.api.requests().len();
        let touch = json!({"metadata": {"annotations": {"touched": before.to_string()}}});
        kubes(&self.objects).patch("prod", &PatchParams::default(), &Patch::Merge(&touch)).await.unwrap();
        eventually("the API gets another request", async || self.api.requests().len() > before).await;
    }

    fn entries(&self) -> Api<DynamicObject> {
        self.objects.within(NAMESPACE, "networking.istio.io/v1", "ServiceEntry", "serviceentries")
    }

    /// Waits until the cluster has exactly these entries, each as `name: hosts or addresses`, and these routes.
    async fn has(&self, entries: &[&str], routes: &[&str]) {
        eventually(&format!("the cluster has entries {entries:?} and routes {routes:?}"), async || {
            let listed = self.entries().list(&ListParams::default()).await.unwrap();
            let there = self.objects.routes(NAMESPACE).list(&ListParams::default()).await.unwrap();
            listed.iter().map(summary).eq(entries.iter().copied())
                && there.iter().filter_map(|route| route.metadata.name.as_deref()).eq(routes.iter().copied())
        })
        .await;
    }

    /// Waits until a condition of the DynaKube has a status, and a message with this part.
    async fn reports(&self, kind: &str, status: &str, part: &str) {
        eventually(&format!("{kind} is {status}: {part}"), async || {
            let kube = kubes(&self.objects).get("prod").await.unwrap();
            condition(&kube, kind).is_some_and(|found| found.status == status && found.message.contains(part))
        })
        .await;
    }
}

fn kubes(objects: &Objects) -> Api<DynamicObject> {
    objects.within(NAMESPACE, "dynatrace.com/v1beta6", "DynaKube", "dynakubes")
}

/// Returns the shipped configuration, with a proxy: the host name of the API has no address here.
fn configuration(proxy: &Proxy) -> Value {
    let mut document = shipped("egress");
    document["spec"]["grants"]["http"][0]["proxy"] =
        json!({"url": format!("http://127.0.0.1:{}", proxy.port()), "private": ["127.0.0.0/8"]});
    document
}

/// Returns an entry as `name: hosts or addresses`.
fn summary(entry: &DynamicObject) -> String {
    let spec = &entry.data["spec"];
    let all = if spec["addresses"].is_null() { &spec["hosts"] } else { &spec["addresses"] };
    let texts: Vec<_> = all.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{}: {}", entry.metadata.name.as_deref().unwrap_or_default(), texts.join(","))
}

const OPERATOR: &str = "prod-fqdn-operator: abc.live.dynatrace.com";
const ENTRIES: [&str; 4] = [
    "prod-fqdn-activegate: gate.example.com",
    "prod-fqdn-oneagent: agent.example.com",
    OPERATOR,
    "prod-ip-activegate: 203.0.113.7/32",
];
const ROUTES: [&str; 3] = ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"];

#[tokio::test(flavor = "multi_thread")]
async fn egress_to_dynatrace_opens_with_istio_and_follows_its_hosts_until_the_dynakube_is_deleted() {
    let _group = TestGroup::enter(module_path!());
    let Some(stage) = Stage::start().await else { return };

    // Without Istio, the API gets no request.
    stage.reports("IstioForOperator", "False", "Istio's CRDs are not installed yet").await;
    stage.reports("mizzen.dev/egress", "False", "Istio's CRDs are not installed yet").await;
    assert_eq!(stage.api.requests().len(), 0);
    stage.install_istio().await;
    stage.has(&ENTRIES, &ROUTES).await;
    for kind in ["IstioForOperator", "IstioForActiveGate", "IstioForOneAgent", "mizzen.dev/egress"] {
        stage.reports(kind, "True", "").await;
    }
    assert!(stage.api.requests().iter().all(|asked| asked.header("authorization") == Some("Api-Token t0ken")));
    assert!(stage.proxy.requests().iter().all(|head| head.starts_with(&format!("CONNECT {API}:443 "))));

    // Hosts are added and removed.
    stage.api.respond(naming("https://203.0.113.7", "https://new.example.com,https://[2001:db8::7]"));
    stage.request_again().await;
    let then = [
        "prod-fqdn-oneagent: new.example.com",
        OPERATOR,
        "prod-ip-activegate: 203.0.113.7/32",
        "prod-ip-oneagent: 2001:db8::7/128",
    ];
    stage.has(&then, &["prod-fqdn-oneagent", "prod-fqdn-operator"]).await;
    stage.api.respond(naming(GATE, AGENT));
    stage.request_again().await;
    stage.has(&ENTRIES, &ROUTES).await;

    // The API is down: objects from its last response stay, are repaired, and outlive the operator.
    stage.api.respond(|_| Response::status(503));
    stage.request_again().await;
    stage.reports("IstioForOneAgent", "True", "as last reported: the request to the Dynatrace API failed").await;
    stage.has(&ENTRIES, &ROUTES).await;
    let stage = stage.restart().await;
    stage.reports("IstioForOneAgent", "True", "status 503").await;
    stage.entries().delete("prod-ip-activegate", &DeleteParams::default()).await.unwrap();
    stage.has(&ENTRIES, &ROUTES).await;
    assert_eq!(stage.operator.metric("mizzen_writes_total", &["egress"]).await, 1, "only the deleted entry is written");

    // Switched off and on again, and deleted.
    let switch = async |on: bool| {
        let change = json!({"spec": {"enableIstio": on}});
        kubes(&stage.objects).patch("prod", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    };
    switch(false).await;
    stage.has(&[], &[]).await;
    eventually("its conditions are removed", async || {
        let kube = kubes(&stage.objects).get("prod").await.unwrap();
        condition(&kube, "IstioForOperator").is_none()
    })
    .await;
    stage.api.respond(naming(GATE, AGENT));
    switch(true).await;
    stage.has(&ENTRIES, &ROUTES).await;
    kubes(&stage.objects).delete("prod", &DeleteParams::background()).await.unwrap();
    stage.has(&[], &[]).await;
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_a_list_and_of_a_dynakube_is_in_one_entry_and_returns_to_the_list_after_the_dynakube() {
    let _group = TestGroup::enter(module_path!());
    let Some(stage) = Stage::start().await else { return };
    stage.api.respond(naming(GATE, "https://first.example.com"));
    stage.install_istio().await;
    stage.cluster.apply_path(&repository("plugins/egress-hosts/reconciler.yaml")).await.unwrap();
    let list = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "ExternalHosts",
        "metadata": {"name": "agents", "namespace": "default"}, "spec": {"hosts": [
            {"host": "agent.example.com", "port": 443, "protocol": "HTTPS"},
            {"host": "agent.example.com", "port": 8443, "protocol": "HTTPS"},
            {"host": "own.example.com", "port": 443, "protocol": "HTTPS"}]}});
    stage.cluster.apply_yaml(&list.to_string()).await.unwrap();
    let lists = stage.objects.within("default", "mizzen.dev/v1alpha1", "ExternalHosts", "externalhosts");
    let reports = async |reason: &str, part: &str| {
        eventually(&format!("the list reports {reason}: {part}"), async || {
            let list = lists.get("agents").await.unwrap();
            condition(&list, "Allowed").is_some_and(|found| found.reason == reason && found.message.contains(part))
        })
        .await;
    };
    let all = stage.objects.of("networking.istio.io/v1", "ServiceEntry", "serviceentries");
    // The namespaces whose entries have the host.
    let namespaces = async || {
        let entries = all.list(&ListParams::default()).await.unwrap();
        let names = |entry: &DynamicObject| entry.data["spec"]["hosts"].to_string().contains("\"agent.example.com\"");
        entries.items.into_iter().filter(names).filter_map(|entry| entry.metadata.namespace).collect::<Vec<_>>()
    };
    reports("Allowed", "2 in 2 entries").await;
    eventually("the list has the host", async || namespaces().await == ["default"]).await;

    stage.reports("IstioForOneAgent", "True", "").await;
    stage.api.respond(naming(GATE, AGENT));
    stage.request_again().await;
    reports("Clash", "port 8443 of agent.example.com is not in ServiceEntry dynatrace/prod-fqdn-oneagent").await;
    eventually("the DynaKube alone has the host", async || namespaces().await == [NAMESPACE]).await;

    kubes(&stage.objects).delete("prod", &DeleteParams::background()).await.unwrap();
    reports("Allowed", "2 in 2 entries").await;
    eventually("the list has it again", async || namespaces().await == ["default"]).await;
    stage.operator.stop().await;
}
