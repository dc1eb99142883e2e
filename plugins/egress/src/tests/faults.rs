//! Faults of the original that are fixed.

use super::*;

#[test]
fn another_api_url_replaces_the_entries_of_the_old_one() {
    let moved =
        kube_with("", "", "https://a.example.com").replace("abc.live.dynatrace.com/api", "dt.example.com/e/abc/api");
    let outcome = reconciled(
        Cluster::new().with_response(
            "https://dt.example.com/e/abc/api/v1/deployment/installer/gateway/connectioninfo",
            Response::of_json(&json!({})),
        ),
        &moved,
    );
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-operator")["hosts"], json!(["dt.example.com"]));
    assert!(!outcome.desired.unwrap().iter().any(|object| object.to_string().contains("dynatrace.com\"")));
    let at_address =
        kube_with("", "https://g.example.com", "https://a.example.com").replace("abc.live.dynatrace.com", "192.0.2.1");
    let there = OPEN
        .replace("prod-fqdn-operator", "prod-ip-operator")
        .replace("hosts: [abc.live.dynatrace.com]", "addresses: [192.0.2.1/32]")
        .replace("HTTPS", "TCP");
    let outcome = reconciled(Cluster::new().with(&there), &at_address);
    assert!(!names(&outcome).iter().any(|name| name.contains("fqdn-operator")) && !outcome.so_far);
}

#[test]
fn a_host_at_two_ports_is_one_host_in_the_routes() {
    let outcome = reconciled(
        naming("", &["https://a.example.com", "https://a.example.com:9999", "http://a.example.com"]),
        &kube(),
    );
    let routes = spec(&outcome, "VirtualService", "prod-fqdn-oneagent");
    assert_eq!(routes["hosts"], json!(["a.example.com"]));
    assert_eq!((routes["tls"].as_array().unwrap().len(), routes["http"].as_array().unwrap().len()), (2, 1));
}

#[test]
fn a_port_for_http_and_https_is_in_two_entries() {
    let outcome = reconciled(naming("", &["https://a.example.com:8080", "http://b.example.com:8080"]), &kube());
    for (name, host, protocol) in
        [("prod-fqdn-oneagent", "a.example.com", "HTTPS"), ("prod-fqdn-oneagent-2", "b.example.com", "HTTP")]
    {
        let entry = spec(&outcome, "ServiceEntry", name);
        assert_eq!((&entry["hosts"], &entry["ports"][0]["protocol"]), (&json!([host]), &json!(protocol)));
        assert_eq!(spec(&outcome, "VirtualService", name)["hosts"], json!([host]));
    }
}

#[test]
fn a_port_of_one_host_that_is_http_and_https_is_https() {
    for order in [
        ["https://a.example.com:8080", "http://a.example.com:8080"],
        ["http://a.example.com:8080", "https://a.example.com:8080"],
    ] {
        let outcome = reconciled(naming("", &order), &kube());
        assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["ports"][0]["protocol"], "HTTPS");
        let message = reported(&outcome, "IstioForOneAgent").unwrap().2;
        assert!(message.contains("port 8080 of a.example.com is HTTPS already, so it can't be HTTP, too"), "{message}");
    }
}

#[test]
fn a_port_is_https_if_another_component_or_dynakube_has_it_as_http() {
    let (http, https) = ("http://a.example.com:8080", "https://a.example.com:8080");
    for (gates, agents) in [(http, https), (https, http)] {
        let outcome = reconciled(naming(gates, &[agents]), &kube());
        assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-activegate")["ports"][0]["protocol"], "HTTPS");
        let wrong = if gates == http { "IstioForActiveGate" } else { "IstioForOneAgent" };
        assert!(reported(&outcome, wrong).unwrap().2.contains("is HTTPS already, so it can't be HTTP, too"));
    }
    let older = kube_with("", "", http).replace("name: prod", "name: first").replace("2026-02", "2026-01");
    let younger = kube_with("", "", https);
    let open = OPEN.replace("prod-", "first-");
    let outcome = reconciled(naming("", &[http]).with(&younger).with(&open), &older);
    assert_eq!(spec(&outcome, "ServiceEntry", "first-fqdn-oneagent")["ports"][0]["protocol"], "HTTPS");
}

#[test]
fn an_ipv6_address_is_one_address() {
    let outcome = reconciled(naming("", &["https://[2001:db8::1]:9999/communication"]), &kube());
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-ip-oneagent")["addresses"], json!(["2001:db8::1/128"]));
}

#[test]
fn every_entry_of_addresses_has_its_own_host() {
    let outcome = reconciled(naming("https://10.0.0.1", &["https://10.0.0.2"]), &kube());
    let host = |component: &str| spec(&outcome, "ServiceEntry", &format!("prod-ip-{component}"))["hosts"].clone();
    assert_eq!(host("activegate"), json!(["ip-activegate.prod.dynatrace.mizzen.invalid"]));
    assert_eq!(host("oneagent"), json!(["ip-oneagent.prod.dynatrace.mizzen.invalid"]));
}

#[test]
fn a_host_of_several_components_is_in_one_entry() {
    let shared = "https://abc.live.dynatrace.com:9999";
    let outcome = reconciled(
        naming(
            &format!("{shared},https://g.example.com,https://10.0.0.1"),
            &[shared, "https://g.example.com:8443", "https://10.0.0.1"],
        ),
        &kube(),
    );
    let entries: Vec<_> = names(&outcome).into_iter().filter(|name| name.starts_with("ServiceEntry")).collect();
    assert_eq!(
        entries,
        ["ServiceEntry prod-fqdn-operator", "ServiceEntry prod-fqdn-activegate", "ServiceEntry prod-ip-activegate"]
    );
    let ports = |name: &str| spec(&outcome, "ServiceEntry", name)["ports"].as_array().unwrap().len();
    assert_eq!((ports("prod-fqdn-operator"), ports("prod-fqdn-activegate")), (2, 2), "with the ports of all");
    assert_eq!(reported(&outcome, "IstioForOneAgent").unwrap().2, "3 hosts and addresses can be reached");
}

#[test]
fn a_host_of_several_dynakubes_is_in_the_oldest_ones_entry_with_all_ports() {
    let older = kube_with("", "", "https://a.example.com:443")
        .replace("name: prod", "name: first")
        .replace("2026-02", "2026-01");
    let open = OPEN.replace("prod-", "first-");
    let outcome = reconciled(
        naming("", &["https://a.example.com:9999", "https://b.example.com"]).with(&older).with(&open),
        &kube(),
    );
    assert_eq!(names(&outcome), ["ServiceEntry prod-fqdn-oneagent", "VirtualService prod-fqdn-oneagent"]);
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["b.example.com"]));
    let message = reported(&outcome, "IstioForOneAgent").unwrap().2;
    assert!(message.ends_with("a.example.com is in an entry of DynaKube dynatrace/first"), "{message}");
    assert_eq!(outcome.readiness, Readiness::Ready);

    let younger = kube_with("", "", "https://a.example.com:9999");
    let outcome = reconciled(naming("", &["https://a.example.com:443"]).with(&younger).with(&open), &older);
    let ports: Vec<_> = spec(&outcome, "ServiceEntry", "first-fqdn-oneagent")["ports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| port["number"].clone())
        .collect();
    assert_eq!(ports, [443, 9999]);
    assert!(names(&outcome).contains(&"ServiceEntry first-fqdn-operator".to_owned()));
}

#[test]
fn a_dynakube_that_is_switched_off_or_invalid_has_no_hosts() {
    let older =
        kube_with("", "", "https://a.example.com").replace("name: prod", "name: first").replace("2026-02", "2026-01");
    for off in [older.replace("enableIstio: true", "enableIstio: false"), older.replace("https://abc.live", "abc.live")]
    {
        let outcome = reconciled(naming("", &["https://a.example.com"]).with(&off), &kube());
        assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["a.example.com"]));
    }
}

#[test]
fn an_invalid_url_is_skipped_and_reported() {
    let outcome = reconciled(
        naming(
            "",
            &["https://a.example.com", "ftp://b.example.com", "https://u:secret@b_c", "https://d.dynatrace.svc"],
        ),
        &kube(),
    );
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["a.example.com"]));
    let (status, _, message) = reported(&outcome, "IstioForOneAgent").unwrap();
    assert_eq!(status, Some(true));
    assert!(message.contains("skipped `ftp://b.example.com`: its scheme is neither"), "{message}");
    assert!(
        message.contains("skipped a URL with a user: its host is not a valid host name")
            && message.contains("inside the cluster")
            && !message.contains("secret")
    );
    assert!(matches!(outcome.readiness, Readiness::Warning(_)) && !outcome.so_far);
}

#[test]
fn the_first_of_many_invalid_urls_are_named() {
    let bad: Vec<_> = (0..20).map(|at| format!("https://bad_{at}")).collect();
    let urls: Vec<_> = bad.iter().map(String::as_str).chain(["https://a.example.com"]).collect();
    let outcome = reconciled(naming("", &urls), &kube());
    let message = reported(&outcome, "IstioForOneAgent").unwrap().2;
    assert!(message.contains("bad_4") && !message.contains("bad_5") && message.ends_with("and 15 more"), "{message}");
}

#[test]
fn a_port_above_65535_is_skipped_and_reported() {
    let outcome = reconciled(naming("", &["https://a.example.com:65535", "https://b.example.com:65536"]), &kube());
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["a.example.com"]));
    let message = reported(&outcome, "IstioForOneAgent").unwrap().2;
    assert!(
        message.contains("skipped `https://b.example.com:65536`: its port is not a number from 1 to 65535"),
        "{message}"
    );
}

#[test]
fn the_proxy_has_an_entry() {
    let through = |proxy: &str| {
        reconciled(
            naming("https://g.example.com", &["https://a.example.com"]),
            &kube_with(&format!("proxy: {proxy}"), "", ""),
        )
    };
    let outcome = through("{value: 'http://user:secret@proxy.example.com:3128'}");
    let entry = spec(&outcome, "ServiceEntry", "prod-tcp-operator");
    assert_eq!(
        (&entry["hosts"], &entry["ports"]),
        (&json!(["proxy.example.com"]), &json!([{"name": "tcp-3128", "number": 3128, "protocol": "TCP"}]))
    );
    assert!(!format!("{outcome:?}").contains("secret"));
    let outcome = through("{value: 'https://192.0.2.7:3128'}");
    assert_eq!(spec(&outcome, "ServiceEntry", "prod-ip-operator")["addresses"], json!(["192.0.2.7/32"]));
    let outcome = through("{value: null, valueFrom: my-proxy}");
    assert!(reported(&outcome, "IstioForOperator").unwrap().2.contains("the proxy is in Secret `my-proxy`"));
    assert!(matches!(outcome.readiness, Readiness::Warning(_)));
    let outcome = through("{value: 'user:secret@proxy'}");
    assert!(reported(&outcome, "IstioForOperator").unwrap().2.contains("`spec.proxy.value`: "));
    assert!(!format!("{outcome:?}").contains("secret"));
}

#[test]
fn no_part_of_a_password_in_a_url_of_the_proxy_or_api_is_reported_or_made_a_host() {
    let https = "https://a.example.com";
    for password in ["k3y#Blue7", "k3y/Blue7", "07Q!?Blue7", "2024#Blue7"] {
        let proxy = format!("proxy: {{value: 'http://mesh.relay:{password}@proxy.corp.example:3128'}}");
        let outcome = reconciled(naming("https://g.example.com", &[https]), &kube_with(&proxy, "", ""));
        let (_, _, message) = reported(&outcome, "IstioForOperator").unwrap();
        assert!(message.contains("`spec.proxy.value`: its user or password has"), "{message}");
        let api = kube_with("", "", https).replace("https://abc.", &format!("https://mesh.relay:{password}@abc."));
        for outcome in [outcome, reconciled(naming("", &[https]), &api)] {
            let everything = format!("{outcome:?}");
            for part in ["mesh.relay", "Blue7", "07Q", "k3y", "2024"] {
                assert!(!everything.contains(part), "{part}: {everything}");
            }
        }
    }
}

#[test]
fn requests_to_an_http_host_go_to_that_host() {
    let outcome = reconciled(naming("", &["http://a.example.com", "http://b.example.com"]), &kube());
    let routes = spec(&outcome, "VirtualService", "prod-fqdn-oneagent")["http"].as_array().unwrap();
    for (route, host) in routes.iter().zip(["a", "b"]) {
        assert_eq!(route["match"][0]["authority"]["regex"], format!(r"(?i){host}\.example\.com(:80)?"));
        assert_eq!(route["route"][0]["destination"]["host"], format!("{host}.example.com"));
    }
    assert_eq!(routes.len(), 2);
}

#[test]
fn an_invalid_field_is_named_and_existing_entries_stay() {
    for (from, to, field) in [
        ("https://abc.live.dynatrace.com/api", "abc.live.dynatrace.com", "spec.apiUrl"),
        ("https://abc.live.dynatrace.com/api", "https://abc.live.dynatrace.com:70000/api", "spec.apiUrl"),
        ("name: prod", &format!("name: {}", "a".repeat(41)), "metadata.name"),
    ] {
        let outcome = reconciled(Cluster::new(), &kube_with("", "", "https://a.example.com").replace(from, to));
        assert_eq!(outcome.desired, None);
        let (status, reason, message) = reported(&outcome, "IstioForOperator").unwrap();
        assert_eq!((status, reason), (Some(false), "IstioForOperatorFailed"));
        assert!(message.starts_with(&format!("`{field}`: ")), "{message}");
        assert!(matches!(outcome.readiness, Readiness::Failed(_)));
        assert_eq!(outcome.status.unwrap()["oneAgent"]["connectionInfoStatus"]["endpoints"], "https://a.example.com");
    }
}
