//! How the Dynatrace API is reached: through the proxy and with the certificates that a DynaKube
//! names, as far as they are granted.

use mizzen_egress_tests::{API, Stage, naming};
use mizzen_testhttps::{Proxy, Server};
use serde_json::{Value, json};

const GATE: &str = "https://gate.example.com:9999";
const AGENT: &str = "https://agent.example.com";

async fn api() -> Server {
    Server::start(&[API], naming(GATE, AGENT)).await
}

fn object(kind: &str, name: &str, mut content: Value) -> Value {
    content["apiVersion"] = json!("v1");
    content["kind"] = json!(kind);
    content["metadata"] = json!({"name": name, "namespace": "dynatrace"});
    content
}

fn entries(stage: &Stage) -> Vec<String> {
    stage.entries().into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_dynakubes_api_is_reached_through_its_proxy_which_has_an_entry() {
    let api = api().await;
    let proxy = Proxy::to(api.port()).await;
    let url = format!("http://proxy.example.com:{}", proxy.port());
    // The API's own address is not granted: only the proxy can reach it.
    let grant = json!({"trust": {"pem": api.authority()}, "proxy": {"private": ["127.0.0.0/8"]}});
    let stage = Stage::with(api, json!({"proxy": {"value": url}}), grant).await;
    let all = ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator", "prod-tcp-operator"];
    assert_eq!(entries(&stage), all);
    assert_eq!(stage.condition("mizzen.dev/egress").map(|(status, ..)| status).as_deref(), Some("True"));
    assert!(!proxy.requests().is_empty());
}

#[tokio::test]
async fn the_proxy_of_a_secret_is_used_and_its_password_is_not_visible_in_any_other_object() {
    let api = api().await;
    let proxy = Proxy::to(api.port()).await;
    let url = format!("http://user:secret@proxy.example.com:{}", proxy.port());
    let grant = json!({"trust": {"pem": api.authority()}, "proxy": {"private": ["127.0.0.0/8"]}});
    let stage = Stage::with(api, json!({"proxy": {"valueFrom": "my-proxy"}}), grant).await;
    let (_, _, why) = stage.condition("IstioForOneAgent").unwrap_or_default();
    assert!(why.contains("my-proxy") && proxy.requests().is_empty(), "{why}");
    let secret = object("Secret", "my-proxy", json!({"stringData": {"proxy": url}}));
    stage.memory.put("user", &secret).unwrap();
    stage.touch(json!("now"), "/metadata/annotations/touched").await;
    assert_eq!(entries(&stage), ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"]);
    assert!(proxy.requests().iter().all(|head| head.to_ascii_lowercase().contains("proxy-authorization: basic ")));
    let all: Vec<_> = stage.memory.objects().into_iter().filter(|(object, _)| &*object.kind.name != "Secret").collect();
    assert!(!format!("{all:?}").contains("secret@"));
}

#[tokio::test]
async fn a_proxy_in_a_private_network_is_refused_and_reported_unless_it_is_granted() {
    let api = api().await;
    let proxy = Proxy::to(api.port()).await;
    let url = format!("http://proxy.example.com:{}", proxy.port());
    let grant = json!({"trust": {"pem": api.authority()}});
    let stage = Stage::with(api, json!({"proxy": {"value": url}}), grant).await;
    let (status, _, why) = stage.condition("IstioForOneAgent").unwrap_or_default();
    assert!(status == "False" && why.contains("proxy.example.com") && why.contains("`private`"), "{why}");
    assert_eq!((stage.api.requests().len(), proxy.requests().len()), (0, 0));
    assert_eq!(entries(&stage), ["prod-fqdn-operator", "prod-tcp-operator"], "its entries are applied nonetheless");
}

#[tokio::test]
async fn a_certificate_is_verified_unless_the_dynakube_disables_it() {
    let grant = json!({"private": ["127.0.0.0/8"]});
    let stage = Stage::with(api().await, json!({"skipCertCheck": false}), grant).await;
    let (status, _, why) = stage.condition("IstioForOneAgent").unwrap_or_default();
    assert!(status == "False" && why.contains("can't be reached"), "{why}");
    assert_eq!(stage.api.requests().len(), 0, "the token was not sent");
    stage.touch(json!(true), "/spec/skipCertCheck").await;
    assert_eq!(entries(&stage), ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"]);
    let requests = stage.api.requests().len();
    stage.touch(json!(false), "/spec/skipCertCheck").await;
    assert_eq!(stage.api.requests().len(), requests);
    assert!(stage.condition("IstioForOneAgent").unwrap_or_default().2.contains("as last reported"));
}

#[tokio::test]
async fn the_authorities_that_a_dynakube_names_are_trusted() {
    let api = api().await;
    let certs = json!({"data": {"certs": api.authority()}});
    let stage = Stage::with(api, json!({"trustedCAs": "ours"}), json!({"private": ["127.0.0.0/8"]})).await;
    assert_eq!(stage.api.requests().len(), 0);
    stage.memory.put("user", &object("ConfigMap", "ours", certs)).unwrap();
    stage.touch(json!("now"), "/metadata/annotations/touched").await;
    assert_eq!(entries(&stage), ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"]);
}
