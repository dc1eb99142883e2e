//! The desired Istio objects.

use super::*;

#[test]
fn hosts_have_entries_and_routes_as_the_original_names_them() {
    let outcome = reconciled(
        naming("https://gate.example.com:9999/communication", &["https://a.example.com:443/communication"]),
        &kube(),
    );
    assert_eq!(
        names(&outcome),
        [
            "ServiceEntry prod-fqdn-operator",
            "VirtualService prod-fqdn-operator",
            "ServiceEntry prod-fqdn-activegate",
            "VirtualService prod-fqdn-activegate",
            "ServiceEntry prod-fqdn-oneagent",
            "VirtualService prod-fqdn-oneagent",
        ]
    );
    let objects = outcome.desired.clone().unwrap();
    for (at, component) in [(0, "operator"), (2, "activegate"), (4, "oneagent"), (5, "oneagent")] {
        assert_eq!(objects[at]["metadata"]["namespace"], "dynatrace");
        assert_eq!(
            objects[at]["metadata"]["labels"],
            json!({
                "app.kubernetes.io/name": "dynatrace-operator", "app.kubernetes.io/created-by": "prod",
                "app.kubernetes.io/component": component, "app.kubernetes.io/version": env!("CARGO_PKG_VERSION"),
            })
        );
    }
    assert_eq!(
        spec(&outcome, "ServiceEntry", "prod-fqdn-activegate"),
        &json!({
            "hosts": ["gate.example.com"], "location": "MESH_EXTERNAL", "resolution": "DNS",
            "ports": [{"name": "https-9999", "number": 9999, "protocol": "HTTPS"}],
        })
    );
    assert_eq!(
        spec(&outcome, "VirtualService", "prod-fqdn-oneagent"),
        &json!({
            "hosts": ["a.example.com"],
            "tls": [{"match": [{"port": 443, "sniHosts": ["a.example.com"]}],
                     "route": [{"destination": {"host": "a.example.com", "port": {"number": 443}}}]}],
        })
    );
    assert_eq!((outcome.readiness, outcome.so_far), (Readiness::Ready, false));
}

#[test]
fn addresses_have_entries_of_their_own_and_no_routes() {
    let outcome = reconciled(
        naming("", &["https://10.0.0.1:9999/communication", "http://10.0.0.2", "https://a.example.com"]),
        &kube(),
    );
    assert_eq!(
        names(&outcome)[2..],
        ["ServiceEntry prod-fqdn-oneagent", "ServiceEntry prod-ip-oneagent", "VirtualService prod-fqdn-oneagent"]
    );
    let entry = spec(&outcome, "ServiceEntry", "prod-ip-oneagent");
    assert_eq!(entry["addresses"], json!(["10.0.0.1/32", "10.0.0.2/32"]));
    assert_eq!(
        entry["ports"],
        json!([{"name": "TCP-80", "number": 80, "protocol": "TCP"},
            {"name": "TCP-9999", "number": 9999, "protocol": "TCP"}])
    );
    assert_eq!((&entry["resolution"], &entry["location"]), (&json!("NONE"), &json!("MESH_EXTERNAL")));
}

#[test]
fn the_host_of_the_web_interface_is_replaced_by_the_apis() {
    let apps = kube().replace("abc.live.dynatrace.com/api", "abc.apps.dynatrace.com/api/");
    let outcome = reconciled(naming("", &["https://a.example.com"]), &apps);
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-operator")["hosts"], json!(["abc.live.dynatrace.com"]));
    assert_eq!(outcome.readiness, Readiness::Ready, "the request is sent to that host, too");
    let capital = apps.replace("abc.apps", "ABC.Apps");
    let outcome = reconciled(naming("", &["https://a.example.com"]), &capital);
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-operator")["hosts"], json!(["abc.live.dynatrace.com"]));
}

#[test]
fn responses_are_one_text_for_activegates_and_a_list_for_oneagents() {
    let gates = "https://g1.example.com:443/communication,https://g2.example.com:443/communication";
    let outcome = reconciled(naming(gates, &["https://a1.example.com", "https://a2.example.com"]), &kube());
    let hosts = |component: &str| &spec(&outcome, "ServiceEntry", &format!("prod-fqdn-{component}"))["hosts"];
    assert_eq!(hosts("activegate"), &json!(["g1.example.com", "g2.example.com"]));
    assert_eq!(hosts("oneagent"), &json!(["a1.example.com", "a2.example.com"]));
    assert_eq!(
        outcome.status.clone().unwrap(),
        json!({
            "activeGate": {"connectionInfoStatus": {"endpoints": gates, "tenantUUID": "abc"}},
            "oneAgent": {"connectionInfoStatus": {"endpoints": "https://a1.example.com;https://a2.example.com",
                "tenantUUID": "abc"}},
        })
    );
    let known = reconciled(
        responding(Response::of_status(500), Response::of_status(500)),
        &kube_with("", gates, "{https://a1.example.com;https://a2.example.com};"),
    );
    assert_eq!(known.desired, outcome.desired, "the recorded endpoints are read as the API returned them");
}

#[test]
fn a_repeated_endpoint_is_desired_once() {
    let urls = [
        "https://b.example.com/x",
        "https://a.example.com",
        "https://A.example.com:443/y",
        "http://a.example.com:80",
        "http://a.example.com",
    ];
    let outcome = reconciled(naming("", &urls), &kube());
    let entry = spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent");
    assert_eq!(entry["hosts"], json!(["a.example.com", "b.example.com"]));
    let ports: Vec<_> = entry["ports"].as_array().unwrap().iter().map(|port| &port["name"]).collect();
    assert_eq!(ports, ["http-80", "https-443"]);
}

#[test]
fn an_api_at_an_address_has_an_entry_of_addresses() {
    let at_address = kube().replace("abc.live.dynatrace.com", "192.0.2.1:9443");
    let outcome = reconciled(Cluster::new(), &at_address);
    assert_eq!(names(&outcome), ["ServiceEntry prod-ip-operator"]);
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-ip-operator")["addresses"], json!(["192.0.2.1/32"]));
}

#[test]
fn the_conditions_are_the_originals() {
    let outcome = reconciled(
        responding(
            Response::of_status(404),
            Response::of_json(&json!({"communicationEndpoints": ["https://a.example.com"]})),
        ),
        &kube(),
    );
    let (status, reason, message) = reported(&outcome, "IstioForOperator").unwrap();
    assert_eq!(
        (status, reason, message),
        (Some(true), "IstioForOperatorChanged", "1 hosts and addresses can be reached")
    );
    let (status, reason, message) = reported(&outcome, "IstioForActiveGate").unwrap();
    assert_eq!((status, reason), (Some(false), "IstioForActiveGateFailed"));
    assert!(message.contains("status 404"), "{message}");
    assert_eq!(reported(&outcome, "IstioForOneAgent").unwrap().1, "IstioForOneAgentChanged");
}

#[test]
fn a_component_without_hosts_has_no_condition() {
    let outcome = reconciled(naming("", &["https://a.example.com"]), &kube());
    assert_eq!(reported(&outcome, "IstioForActiveGate"), None);
    assert_eq!((&outcome.readiness, outcome.so_far), (&Readiness::Ready, false));
}

#[test]
fn switched_off_everything_is_pruned() {
    let known = kube_with("", "https://g.example.com", "https://a.example.com");
    let outcome = reconciled(Cluster::new(), &known.replace("enableIstio: true", "enableIstio: false"));
    assert_eq!((outcome.desired, outcome.so_far, outcome.readiness), (Some(Vec::new()), false, Readiness::Ready));
    assert_eq!((outcome.conditions.len(), outcome.status), (0, Some(json!({}))));
    let never = "{apiVersion: dynatrace.com/v1beta6, kind: DynaKube, metadata: {name: a}, spec: {apiUrl: x}}";
    assert_eq!(reconciled(Cluster::new(), never).desired, Some(Vec::new()));
}

#[test]
fn without_istio_it_reports_that_and_the_last_response_stays_in_force() {
    for kind in [service_entry(), virtual_service()] {
        let outcome = reconciled(
            naming("", &["https://a.example.com"]).without_kind(kind),
            &kube_with("", "", "https://b.example.com"),
        );
        assert_eq!(outcome.desired, None);
        assert!(matches!(outcome.readiness, Readiness::Progressing(_)));
        let (status, reason, message) = reported(&outcome, "IstioForOperator").unwrap();
        assert_eq!((status, reason), (Some(false), "IstioForOperatorFailed"));
        assert!(message.starts_with("Istio's CRDs are not installed yet"), "{message}");
        assert_eq!(outcome.status.unwrap()["oneAgent"]["connectionInfoStatus"]["endpoints"], "https://b.example.com");
    }
}

#[test]
fn conditions_of_existing_entries_stay_when_nothing_can_be_done() {
    let standing = OPEN.replace("prod-fqdn-operator", "prod-fqdn-oneagent");
    let known = kube_with("", "https://g.example.com", "https://a.example.com,https://b.example.com");
    let unreadable = known.replace("https://abc.live", "abc.live");
    for (cluster, kube, why) in [
        (Cluster::new(), &unreadable, "`spec.apiUrl`: it is not a valid URL"),
        (Cluster::new().without_kind(virtual_service()), &known, "Istio's CRDs are not installed yet"),
    ] {
        let outcome = reconciled(cluster.with(&standing), kube);
        let (status, reason, message) = reported(&outcome, "IstioForOneAgent").unwrap();
        assert_eq!((status, reason), (Some(true), "IstioForOneAgentChanged"));
        let expected = format!("2 hosts and addresses can be reached; as last reported: {why}");
        assert!(message.starts_with(&expected), "{message}");
        let (status, reason, message) = reported(&outcome, "IstioForActiveGate").unwrap();
        assert_eq!((status, reason), (Some(false), "IstioForActiveGateFailed"), "its entries are not there");
        assert!(message.starts_with(why), "{message}");
    }
    let outcome = reconciled(Cluster::new().with(&standing).without_kind(service_entry()), &known);
    assert_eq!(reported(&outcome, "IstioForOneAgent").unwrap().0, Some(false), "no entry exists without its kind");
    let outcome = reconciled(Cluster::new().with(&standing), &kube().replace("https://abc.live", "abc.live"));
    assert_eq!(
        reported(&outcome, "IstioForOneAgent").unwrap().0,
        Some(false),
        "the endpoints of the entry are not recorded"
    );
    assert_eq!(reported(&outcome, "IstioForActiveGate"), None);
}
