//! The objects in a cluster after each response of the Dynatrace API.

use mizzen_egress_tests::{API, Stage, naming};
use mizzen_testhttps::{Received, Response};
use serde_json::{Value, json};

const GATE: &str = "https://gate.example.com:9999/communication,https://10.0.0.1:9999/communication";
const AGENT: &str = "https://agent.example.com:443/communication,https://abc.live.dynatrace.com:9999";

type Answers = Box<dyn Fn(&Received) -> Response + Send + Sync>;

fn entries(all: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
    all.iter().map(|(name, held)| ((*name).to_owned(), held.iter().map(|&one| one.to_owned()).collect())).collect()
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
    assert_eq!(stage.holds(), everything());
    assert_eq!(stage.routes(), ["prod-fqdn-activegate", "prod-fqdn-oneagent", "prod-fqdn-operator"]);
    for condition in ["IstioForOperator", "IstioForActiveGate", "IstioForOneAgent"] {
        let (status, reason, message) = stage.says(condition).unwrap();
        assert_eq!((&*status, &*reason), ("True", &*format!("{condition}Changed")), "{message}");
    }
    assert_eq!(stage.says("mizzen.dev/egress").unwrap().0, "True");
    assert_eq!(stage.remembers(), json!([GATE, AGENT.replace(',', ";")]));
    assert!(stage.api.requests().iter().all(|asked| asked.header("authorization") == Some("Api-Token t0ken")));
}

#[tokio::test]
async fn hosts_that_change_over_time_are_followed_and_what_is_gone_is_pruned() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.answers(naming("https://10.0.0.1", "https://new.example.com,http://new.example.com:8080")).await;
    let then = entries(&[
        ("prod-fqdn-oneagent", &["new.example.com"]),
        ("prod-fqdn-operator", &[API]),
        ("prod-ip-activegate", &["10.0.0.1/32"]),
    ]);
    assert_eq!((stage.holds(), stage.routes().len()), (then, 2));
    stage.answers(naming(GATE, AGENT)).await;
    assert_eq!(stage.holds(), everything());
}

#[tokio::test]
async fn any_other_failed_response_is_reported_and_the_last_one_stays_in_force() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    let remembered = stage.remembers();
    let foreign = |_: &Received| Response::redirect("https://foreign.example.com/hosts");
    let cases: [(&str, Answers); 9] = [
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
    for (why, answers) in cases {
        stage.answers(answers).await;
        assert_eq!((stage.holds(), stage.routes().len()), (everything(), 3), "{why}");
        for condition in ["IstioForActiveGate", "IstioForOneAgent"] {
            let (status, _, message) = stage.says(condition).unwrap();
            assert!(status == "True" && message.contains(why), "{why}: {message}");
        }
        assert_eq!(stage.remembers(), remembered, "{why}");
    }
    stage.answers(naming(GATE, AGENT)).await;
    assert!(!stage.says("IstioForOneAgent").unwrap().2.contains("as last reported"));
}

#[tokio::test]
async fn a_failure_for_activegate_does_not_stop_updates_of_oneagents_hosts() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    let foreign = |_: &Received| Response::redirect("https://foreign.example.com/hosts");
    let troubles: [(&str, &'static str, Answers); 3] = [
        ("larger than", "https://a.example.com", Box::new(|_| Response::huge(8))),
        ("no complete response", "https://b.example.com", Box::new(|_| Response::stalling())),
        ("redirects to https://foreign.example.com", "https://c.example.com", Box::new(foreign)),
    ];
    for (why, agent, trouble) in troubles {
        let good = naming(GATE, agent);
        let answers =
            move |asked: &Received| if asked.path.contains("/gateway/") { trouble(asked) } else { good(asked) };
        stage.answers(answers).await;
        let host = agent.trim_start_matches("https://").to_owned();
        let holds = stage.holds();
        assert!(holds.contains(&("prod-fqdn-oneagent".to_owned(), vec![host])), "{why}: {holds:?}");
        assert!(holds.contains(&("prod-fqdn-activegate".to_owned(), vec!["gate.example.com".to_owned()])));
        assert!(stage.says("IstioForActiveGate").unwrap().2.contains(why));
        assert!(!stage.says("IstioForOneAgent").unwrap().2.contains("as last reported"));
    }
}

#[tokio::test]
async fn an_api_that_never_answers_has_the_way_to_it_opened_nonetheless() {
    let stage = Stage::start(|_| Response::status(503)).await;
    assert_eq!(stage.holds(), entries(&[("prod-fqdn-operator", &[API])]));
    let (status, reason, _) = stage.says("IstioForOneAgent").unwrap();
    assert_eq!((&*status, &*reason), ("False", "IstioForOneAgentFailed"));
    stage.answers(naming(GATE, AGENT)).await;
    assert_eq!(stage.holds(), everything());
    assert_eq!(stage.says("IstioForOneAgent").unwrap().0, "True");
}

#[tokio::test]
async fn a_host_that_was_restarted_while_the_api_is_down_remembers_and_writes_nothing() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.answers(|_| Response::status(503)).await;
    stage.memory.take_writes();
    let stage = stage.restart().await;
    assert_eq!(stage.holds(), everything());
    let writes = stage.memory.take_writes();
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test]
async fn drift_is_repaired_while_the_api_is_down() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.answers(|_| Response::status(503)).await;
    let find = |kind: &str, name: &str| {
        let all = stage.memory.objects().into_iter();
        all.map(|(object, _)| object).find(|object| &*object.kind.name == kind && &*object.name == name).unwrap()
    };
    stage.memory.remove(&find("ServiceEntry", "prod-ip-activegate"));
    stage.memory.remove(&find("VirtualService", "prod-fqdn-oneagent"));
    let change = |entry: &mut Value| entry["spec"]["hosts"] = json!(["else.example.com"]);
    stage.memory.edit("another-manager", &find("ServiceEntry", "prod-fqdn-activegate"), change).unwrap();
    assert_ne!(stage.holds(), everything());
    stage.settled().await;
    assert_eq!((stage.holds(), stage.routes().len()), (everything(), 3));
}

#[tokio::test]
async fn switched_off_everything_goes_and_comes_back_when_it_is_switched_on() {
    let stage = Stage::start(naming(GATE, AGENT)).await;
    stage.touch(json!(false), "/spec/enableIstio").await;
    assert_eq!((stage.holds(), stage.routes()), (Vec::new(), Vec::new()));
    assert_eq!(stage.says("IstioForOperator"), None);
    let asked = stage.api.requests().len();
    stage.touch(json!("on"), "/metadata/annotations/touched").await;
    assert_eq!(stage.api.requests().len(), asked, "no request is sent while it is off");
    stage.touch(json!(true), "/spec/enableIstio").await;
    assert_eq!(stage.holds(), everything());
}
