//! The objects in a cluster after each response of the Dynatrace API.

use mizzen_egress_tests::{API, Stage, naming};
use mizzen_testhttps::{Received, Response};
use serde_json::{Value, json};

const GATE: &str = "https://gate.example.com:9999/communication,https://10.0.0.1:9999/communication";
const AGENT: &str = "https://agent.example.com:443/communication,https://abc.live.dynatrace.com:9999";

type Respond = Box<dyn Fn(&Received) -> Response + Send + Sync>;

fn entries(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    all.iter()
        .map(|(name, targets)| ((*name).to_owned(), targets.iter().map(|&one| one.to_owned()).collect()))
        .collect()
}

fn everything() -> Vec<(String, Vec<String>)> {
    entries(&[
        ("prod-fqdn-activegate", &["gate.example.com"]),
        ("prod-fqdn-oneagent", &["agent.example.com"]),
        ("prod-fqdn-operator", &[API]),
        ("prod-ip-activegate", &["10.0.0.1/32"]),
    ])
}

#[tokio::test]
async fn endpoints_of_the_api_are_reachable_and_requests_carry_the_token_of_the_secret() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    assert_eq!(stage.entries(), everything());
    assert_eq!(stage.routes(), ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"]);
    for condition in ["IstioForOperator", "IstioForActiveGate", "IstioForOneAgent"] {
        let (status, reason, message) = stage.condition(condition).unwrap();
        assert_eq!((&*status, &*reason), ("True", &*format!("{condition}Changed")), "{message}");
    }
    assert_eq!(stage.condition("mizzen.dev/egress").unwrap().0, "True");
    assert_eq!(stage.last_response(), json!([GATE, AGENT.replace(',', ";")]));
    assert!(stage.api.requests().iter().all(|request| request.header("authorization") == Some("Api-Token t0ken")));
}

#[tokio::test]
async fn changed_hosts_are_applied_and_missing_ones_pruned() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.respond(naming("https://10.0.0.1", "https://new.example.com,http://new.example.com:8080")).await;
    let then = entries(&[
        ("prod-fqdn-oneagent", &["new.example.com"]),
        ("prod-fqdn-operator", &[API]),
        ("prod-ip-activegate", &["10.0.0.1/32"]),
    ]);
    assert_eq!((stage.entries(), stage.routes().len()), (then, 2));
    stage.respond(naming(GATE, AGENT)).await;
    assert_eq!(stage.entries(), everything());
}

#[tokio::test]
async fn any_other_failed_response_is_reported_and_the_last_one_stays_in_force() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    let remembered = stage.last_response();
    let foreign = |_: &Received| Response::redirect("https://foreign.example.com/hosts");
    let cases: [(&str, Respond); 9] = [
        ("status 400", Box::new(|_| Response::status(400))),
        ("status 429", Box::new(|_| Response::status(429))),
        ("status 503", Box::new(|_| Response::status(503))),
        ("reports no hosts", Box::new(naming("", ""))),
        ("is not valid", Box::new(|_| Response::status(200))),
        ("is not valid", Box::new(|_| Response::text("{\"communicationEndpoints\": ["))),
        ("can't be reached", Box::new(|_| Response::stalling())),
        ("can't be reached", Box::new(|_| Response::huge(8))),
        ("redirects to https://foreign.example.com", Box::new(foreign)),
    ];
    for (why, respond) in cases {
        stage.respond(respond).await;
        assert_eq!((stage.entries(), stage.routes().len()), (everything(), 3), "{why}");
        for condition in ["IstioForActiveGate", "IstioForOneAgent"] {
            let (status, _, message) = stage.condition(condition).unwrap();
            assert!(status == "True" && message.contains(why), "{why}: {message}");
        }
        assert_eq!(stage.last_response(), remembered, "{why}");
    }
    stage.respond(naming(GATE, AGENT)).await;
    assert!(!stage.condition("IstioForOneAgent").unwrap().2.contains("as last reported"));
}

#[tokio::test]
async fn a_failure_for_activegate_does_not_stop_updates_of_oneagents_hosts() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    let foreign = |_: &Received| Response::redirect("https://foreign.example.com/hosts");
    let faults: [(&str, &'static str, Respond); 3] = [
        ("larger than", "https://a.example.com", Box::new(|_| Response::huge(8))),
        ("no complete response", "https://b.example.com", Box::new(|_| Response::stalling())),
        ("redirects to https://foreign.example.com", "https://c.example.com", Box::new(foreign)),
    ];
    for (why, agent, fault) in faults {
        let good = naming(GATE, agent);
        let respond =
            move |request: &Received| if request.path.contains("/gateway/") { fault(request) } else { good(request) };
        stage.respond(respond).await;
        let host = agent.trim_start_matches("https://").to_owned();
        let entries = stage.entries();
        assert!(entries.contains(&("prod-fqdn-oneagent".to_owned(), vec![host])), "{why}: {entries:?}");
        assert!(entries.contains(&("prod-fqdn-activegate".to_owned(), vec!["gate.example.com".to_owned()])));
        assert!(stage.condition("IstioForActiveGate").unwrap().2.contains(why));
        assert!(!stage.condition("IstioForOneAgent").unwrap().2.contains("as last reported"));
    }
}

#[tokio::test]
async fn the_entry_for_an_api_that_never_responds_is_applied_nonetheless() {
    let stage = Stage::start(|_| Response::status(503)).await;
    assert_eq!(stage.entries(), entries(&[("prod-fqdn-operator", &[API])]));
    let (status, reason, _) = stage.condition("IstioForOneAgent").unwrap();
    assert_eq!((&*status, &*reason), ("False", "IstioForOneAgentFailed"));
    stage.respond(naming(GATE, AGENT)).await;
    assert_eq!(stage.entries(), everything());
    assert_eq!(stage.condition("IstioForOneAgent").unwrap().0, "True");
}

#[tokio::test]
async fn a_host_restarted_while_the_api_is_down_keeps_the_entries_and_writes_nothing() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.respond(|_| Response::status(503)).await;
    stage.memory.take_writes();
    let stage = stage.restart().await;
    assert_eq!(stage.entries(), everything());
    let writes = stage.memory.take_writes();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn drift_is_repaired_while_the_api_is_down() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.respond(|_| Response::status(503)).await;
    let find = |kind: &str, name: &str| {
        let all = stage.memory.objects().into_iter();
        all.map(|(object, _)| object).find(|object| &*object.kind.name == kind && &*object.name == name).unwrap()
    };
    stage.memory.remove(&find("ServiceEntry", "prod-ip-activegate"));
    stage.memory.remove(&find("VirtualService", "prod-fqdn-oneagent"));
    let change = |entry: &mut Value| entry["spec"]["hosts"] = json!(["else.example.com"]);
    stage.memory.edit("another-manager", &find("ServiceEntry", "prod-fqdn-activegate"), change).unwrap();
    assert_ne!(stage.entries(), everything());
    stage.settled().await;
    assert_eq!((stage.entries(), stage.routes().len()), (everything(), 3));
}

#[tokio::test]
async fn everything_is_pruned_when_it_is_switched_off_and_applied_again_when_it_is_switched_on() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.touch(json!(false), "/spec/enableIstio").await;
    assert_eq!((stage.entries(), stage.routes()), (Vec::new(), Vec::new()));
    assert_eq!(stage.condition("IstioForOperator"), None);
    let requests = stage.api.requests().len();
    stage.touch(json!("on"), "/metadata/annotations/touched").await;
    assert_eq!(stage.api.requests().len(), requests, "no request is sent while it is off");
    stage.touch(json!(true), "/spec/enableIstio").await;
    assert_eq!(stage.entries(), everything());
}
