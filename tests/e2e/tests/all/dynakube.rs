//! A DynaKube on a real API server, with the shipped configuration, and a real HTTPS server in the role of the Dynatrace API: before Istio's
//! definitions are there and after, while the hosts change, the API is down and entries are taken away, until the DynaKube goes.
//!
//! What the API may answer otherwise (`tests/egress`) and what the objects look like (`plugins/egress`) is shown there.

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use mizzen_e2e::{Objects, Operator, TestGroup, apply, condition, eventually, namespace, plugins, repository, shipped};
use mizzen_egress_tests::{API, naming};
use mizzen_testcluster::{Assets, ControlPlane, Manifests, Program};
use mizzen_testhttps::{Answer, Proxy, Server};
use serde_json::{Value, json};

const NAMESPACE: &str = "dynatrace";
const GATE: &str = "https://gate.example.com:9999/communication,https://203.0.113.7:9999/communication";
const AGENT: &str = "https://agent.example.com:443/communication";

/// A cluster with a DynaKube, its API, and the only way to that.
struct Stage {
    api: Server,
    proxy: Proxy,
    objects: Objects,
    operator: Operator,
    plugins: tempfile::TempDir,
    cluster: ControlPlane,
}

impl Stage {
    /// Without Istio's definitions.
    async fn start() -> Option<Self> {
        let builder = ControlPlane::builder().controller_manager(true);
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

    /// Another operator that remembers nothing.
    async fn restart(self) -> Self {
        self.operator.stop().await;
        let operator = Operator::start(&self.cluster.kubeconfig_path(), self.plugins.path()).await;
        Self { operator, ..self }
    }

    /// Has the API asked again, as it is in 15 minutes at the latest.
    async fn ask(&self) {
        let asked = self.api.asked().len();
        let touch = json!({"metadata": {"annotations": {"touched": asked.to_string()}}});
        kubes(&self.objects).patch("prod", &PatchParams::default(), &Patch::Merge(&touch)).await.unwrap();
        eventually("the API is asked again", async || self.api.asked().len() > asked).await;
    }

    fn entries(&self) -> Api<DynamicObject> {
        self.objects.within(NAMESPACE, "networking.istio.io/v1", "ServiceEntry", "serviceentries")
    }

    /// Waits until there are these entries, each by its name and its hosts or addresses, and these routes.
    async fn holds(&self, entries: &[(&str, &str)], routes: &[&str]) {
        let wanted: Vec<_> = entries.iter().map(|(name, held)| format!("{name}: {held}")).collect();
        eventually(&format!("the cluster holds {wanted:?} and routes {routes:?}"), async || {
            let listed = self.entries().list(&ListParams::default()).await.unwrap();
            let there = self.objects.routes(NAMESPACE).list(&ListParams::default()).await.unwrap();
            listed.iter().map(held).eq(wanted.iter().cloned())
                && there.iter().filter_map(|route| route.metadata.name.as_deref()).eq(routes.iter().copied())
        })
        .await;
    }

    /// Waits until a condition of the DynaKube says something.
    async fn says(&self, kind: &str, status: &str, part: &str) {
        eventually(&format!("{kind} is {status}: {part}"), async || {
            let kube = kubes(&self.objects).get("prod").await.unwrap();
            condition(&kube, kind).is_some_and(|(own, _, message)| own == status && message.contains(part))
        })
        .await;
    }
}

fn kubes(objects: &Objects) -> Api<DynamicObject> {
    objects.within(NAMESPACE, "dynatrace.com/v1beta6", "DynaKube", "dynakubes")
}

/// The shipped configuration. The name of the API leads nowhere here: the proxy alone knows the way.
fn configuration(proxy: &Proxy) -> Value {
    let mut document = shipped("egress");
    document["spec"]["grants"]["http"][0]["proxy"] =
        json!({"url": format!("http://127.0.0.1:{}", proxy.port()), "private": ["127.0.0.0/8"]});
    document
}

/// An entry, by its name and its hosts or addresses.
fn held(entry: &DynamicObject) -> String {
    let spec = &entry.data["spec"];
    let all = if spec["addresses"].is_null() { &spec["hosts"] } else { &spec["addresses"] };
    let texts: Vec<_> = all.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("{}: {}", entry.metadata.name.as_deref().unwrap_or_default(), texts.join(","))
}

const EVERYTHING: [(&str, &str); 4] = [
    ("prod-fqdn-activegate", "gate.example.com"),
    ("prod-fqdn-oneagent", "agent.example.com"),
    ("prod-fqdn-operator", API),
    ("prod-ip-activegate", "203.0.113.7/32"),
];
const ROUTES: [&str; 3] = ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"];

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_dynatrace_is_opened_when_istio_appears_and_follows_its_hosts_until_the_dynakube_goes() {
    let _group = TestGroup::enter(module_path!());
    let Some(stage) = Stage::start().await else { return };

    // Istio is not there, and so nobody is asked yet.
    stage.says("IstioForOperator", "False", "Istio's CRDs are not installed yet").await;
    stage.says("mizzen.dev/egress", "False", "Istio's CRDs are not installed yet").await;
    assert_eq!(stage.api.asked().len(), 0);
    stage.install_istio().await;
    stage.holds(&EVERYTHING, &ROUTES).await;
    for kind in ["IstioForOperator", "IstioForActiveGate", "IstioForOneAgent", "mizzen.dev/egress"] {
        stage.says(kind, "True", "").await;
    }
    assert!(stage.api.asked().iter().all(|asked| asked.header("authorization") == Some("Api-Token t0ken")));
    assert!(stage.proxy.asked().iter().all(|head| head.starts_with(&format!("CONNECT {API}:443 "))));

    // Hosts come and go.
    stage.api.answers(naming("https://203.0.113.7", "https://new.example.com,https://[2001:db8::7]"));
    stage.ask().await;
    let then = [
        ("prod-fqdn-oneagent", "new.example.com"),
        ("prod-fqdn-operator", API),
        ("prod-ip-activegate", "203.0.113.7/32"),
        ("prod-ip-oneagent", "2001:db8::7/128"),
    ];
    stage.holds(&then, &["prod-fqdn-oneagent", "prod-fqdn-operator"]).await;
    stage.api.answers(naming(GATE, AGENT));
    stage.ask().await;
    stage.holds(&EVERYTHING, &ROUTES).await;

    // The API is down: what it said last stands, is repaired, and outlives the operator.
    stage.api.answers(|_| Answer::status(503));
    stage.ask().await;
    stage.says("IstioForOneAgent", "True", "as last reported: the request to the Dynatrace API failed").await;
    stage.holds(&EVERYTHING, &ROUTES).await;
    let stage = stage.restart().await;
    stage.says("IstioForOneAgent", "True", "status 503").await;
    stage.entries().delete("prod-ip-activegate", &DeleteParams::default()).await.unwrap();
    stage.holds(&EVERYTHING, &ROUTES).await;
    assert_eq!(
        stage.operator.metric("mizzen_writes_total", &["egress"]).await,
        1,
        "what was deleted, and nothing more"
    );

    // Switched off and on again, and deleted.
    let switch = async |on: bool| {
        let change = json!({"spec": {"enableIstio": on}});
        kubes(&stage.objects).patch("prod", &PatchParams::default(), &Patch::Merge(&change)).await.unwrap();
    };
    switch(false).await;
    stage.holds(&[], &[]).await;
    eventually("nothing is said of it any more", async || {
        let kube = kubes(&stage.objects).get("prod").await.unwrap();
        condition(&kube, "IstioForOperator").is_none()
    })
    .await;
    stage.api.answers(naming(GATE, AGENT));
    switch(true).await;
    stage.holds(&EVERYTHING, &ROUTES).await;
    kubes(&stage.objects).delete("prod", &DeleteParams::background()).await.unwrap();
    stage.holds(&[], &[]).await;
    stage.operator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_a_list_and_a_dynakube_want_is_in_one_entry_and_the_lists_again_when_the_dynakube_goes() {
    let _group = TestGroup::enter(module_path!());
    let Some(stage) = Stage::start().await else { return };
    stage.api.answers(naming(GATE, "https://first.example.com"));
    stage.install_istio().await;
    stage.cluster.apply_path(&repository("plugins/egress-hosts/reconciler.yaml")).await.unwrap();
    let list = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "ExternalHosts",
        "metadata": {"name": "agents", "namespace": "default"}, "spec": {"hosts": [
            {"host": "agent.example.com", "port": 443, "protocol": "HTTPS"},
            {"host": "agent.example.com", "port": 8443, "protocol": "HTTPS"},
            {"host": "own.example.com", "port": 443, "protocol": "HTTPS"}]}});
    stage.cluster.apply_yaml(&list.to_string()).await.unwrap();
    let lists = stage.objects.within("default", "mizzen.dev/v1alpha1", "ExternalHosts", "externalhosts");
    let says = async |reason: &str, part: &str| {
        eventually(&format!("the list says {reason}: {part}"), async || {
            let list = lists.get("agents").await.unwrap();
            condition(&list, "Allowed").is_some_and(|(_, own, message)| own == reason && message.contains(part))
        })
        .await;
    };
    let all = stage.objects.of("networking.istio.io/v1", "ServiceEntry", "serviceentries");
    // Who has the host.
    let holders = async || {
        let entries = all.list(&ListParams::default()).await.unwrap();
        let names = |entry: &DynamicObject| entry.data["spec"]["hosts"].to_string().contains("\"agent.example.com\"");
        entries.items.into_iter().filter(names).filter_map(|entry| entry.metadata.namespace).collect::<Vec<_>>()
    };
    says("Allowed", "2 in 2 entries").await;
    eventually("the list has the host", async || holders().await == ["default"]).await;

    stage.says("IstioForOneAgent", "True", "").await;
    stage.api.answers(naming(GATE, AGENT));
    stage.ask().await;
    says("Clash", "port 8443 of agent.example.com is not in ServiceEntry dynatrace/prod-fqdn-oneagent").await;
    eventually("the DynaKube alone has the host", async || holders().await == [NAMESPACE]).await;

    kubes(&stage.objects).delete("prod", &DeleteParams::background()).await.unwrap();
    says("Allowed", "2 in 2 entries").await;
    eventually("the list has it again", async || holders().await == ["default"]).await;
    stage.operator.stop().await;
}
