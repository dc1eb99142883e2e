//! From endpoints to Istio's objects.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Protocol::{Http, Https, Tcp, Tls};

fn together(endpoints: &[(&str, i64, Protocol)]) -> Vec<Value> {
    objects(&scope(Grouping::Together), &set(endpoints))
}

#[test]
fn hosts_have_an_entry_by_dns_and_routes() {
    let objects = together(&[("a.example.com", 443, Https), ("b.example.com", 80, Http)]);
    assert_eq!(names(&objects), ["ServiceEntry prod-fqdn-oneagent", "VirtualService prod-fqdn-oneagent"]);
    assert_eq!(
        objects[0]["metadata"],
        json!({"name": "prod-fqdn-oneagent", "namespace": "dynatrace", "labels": {"a": "b"}})
    );
    assert_eq!(
        objects[0]["spec"],
        json!({
            "hosts": ["a.example.com", "b.example.com"], "location": "MESH_EXTERNAL", "resolution": "DNS",
            "ports": [{"number": 80, "name": "http-80", "protocol": "HTTP"},
                {"number": 443, "name": "https-443", "protocol": "HTTPS"}],
        })
    );
    assert_eq!(
        objects[1]["spec"],
        json!({
            "hosts": ["a.example.com", "b.example.com"],
            "tls": [{"match": [{"port": 443, "sniHosts": ["a.example.com"]}],
                     "route": [{"destination": {"host": "a.example.com", "port": {"number": 443}}}]}],
            "http": [{"match": [{"port": 80, "authority": {"regex": r"(?i)b\.example\.com(:80)?"}}],
                      "route": [{"destination": {"host": "b.example.com", "port": {"number": 80}}}]}],
        })
    );
}

#[test]
fn addresses_have_an_entry_without_resolution_and_no_routes() {
    let objects = together(&[("10.0.0.1", 443, Tcp), ("2001:db8::1", 9999, Tcp), ("10.1.0.0/16", 443, Tcp)]);
    assert_eq!(names(&objects), ["ServiceEntry prod-ip-oneagent"]);
    assert_eq!(
        objects[0]["spec"],
        json!({
            "hosts": ["ip-oneagent.prod.dynatrace.mizzen.invalid"], "location": "MESH_EXTERNAL", "resolution": "NONE",
            "addresses": ["10.0.0.1/32", "10.1.0.0/16", "2001:db8::1/128"],
            "ports": [{"number": 443, "name": "TCP-443", "protocol": "TCP"},
                {"number": 9999, "name": "TCP-9999", "protocol": "TCP"}],
        })
    );
}

#[test]
fn an_empty_set_has_no_entries() {
    assert_eq!(together(&[]), Vec::<Value>::new());
}

#[test]
fn a_host_at_two_ports_is_one_host_with_two_routes() {
    let objects = together(&[("a.example.com", 443, Https), ("a.example.com", 8443, Tls), ("a.example.com", 80, Http)]);
    assert_eq!(spec(&objects, "ServiceEntry", "prod-fqdn-oneagent")["hosts"], json!(["a.example.com"]));
    let routes = spec(&objects, "VirtualService", "prod-fqdn-oneagent");
    assert_eq!(routes["hosts"], json!(["a.example.com"]));
    assert_eq!((routes["tls"].as_array().unwrap().len(), routes["http"].as_array().unwrap().len()), (2, 1));
}

#[test]
fn a_port_that_is_http_at_one_host_and_https_at_another_is_in_two_entries() {
    let objects =
        together(&[("a.example.com", 8080, Https), ("b.example.com", 8080, Http), ("c.example.com", 8080, Https)]);
    assert_eq!(
        names(&objects),
        [
            "ServiceEntry prod-fqdn-oneagent",
            "ServiceEntry prod-fqdn-oneagent-2",
            "VirtualService prod-fqdn-oneagent",
            "VirtualService prod-fqdn-oneagent-2",
        ]
    );
    let entry = |name| spec(&objects, "ServiceEntry", name);
    assert_eq!(entry("prod-fqdn-oneagent")["hosts"], json!(["a.example.com", "c.example.com"]));
    assert_eq!(entry("prod-fqdn-oneagent")["ports"][0]["protocol"], "HTTPS");
    assert_eq!(entry("prod-fqdn-oneagent-2")["hosts"], json!(["b.example.com"]));
    assert_eq!(entry("prod-fqdn-oneagent-2")["ports"][0]["protocol"], "HTTP");
}

#[test]
fn a_port_of_a_host_has_one_protocol() {
    let mut set = set(&[("a.example.com", 443, Https)]);
    let refusal = set.add(endpoint("a.example.com", 443, Http)).unwrap_err();
    assert_eq!(refusal.to_string(), "port 443 of a.example.com is HTTPS already, so it can't be HTTP, too");
    assert_eq!(set.add(endpoint("a.example.com", 443, Https)), Ok(()));
}

#[test]
fn wildcards_have_an_entry_without_resolution_and_no_routes() {
    let objects = together(&[("*.example.com", 443, Tls)]);
    assert_eq!(names(&objects), ["ServiceEntry prod-wildcard-oneagent"]);
    assert_eq!(
        (&objects[0]["spec"]["hosts"], &objects[0]["spec"]["resolution"]),
        (&json!(["*.example.com"]), &json!("NONE"))
    );
    assert_eq!(objects[0]["spec"].get("addresses"), None);
}

#[test]
fn a_host_with_tcp_has_its_own_entry_and_routes_for_its_other_ports() {
    let objects =
        together(&[("a.example.com", 5432, Tcp), ("b.example.com", 5432, Tcp), ("b.example.com", 443, Https)]);
    assert_eq!(
        names(&objects),
        ["ServiceEntry prod-tcp-oneagent", "ServiceEntry prod-tcp-oneagent-2", "VirtualService prod-tcp-oneagent-2"]
    );
    assert_eq!(objects[1]["spec"]["ports"][1]["name"], "tcp-5432");
    assert_eq!(objects[2]["spec"]["tls"].as_array().unwrap().len(), 1);
}

#[test]
fn entries_grouped_by_ports_allow_only_requested_ports() {
    let objects = objects(
        &scope(Grouping::ByPorts),
        &set(&[
            ("10.0.0.0/8", 443, Tcp),
            ("1.2.3.4", 22, Tcp),
            ("a.example.com", 443, Https),
            ("b.example.com", 80, Http),
        ]),
    );
    for entry in objects.iter().filter(|object| object["kind"] == "ServiceEntry") {
        let targets = entry["spec"].get("addresses").unwrap_or(&entry["spec"]["hosts"]).as_array().unwrap();
        assert_eq!((targets.len(), entry["spec"]["ports"].as_array().unwrap().len()), (1, 1), "{entry}");
    }
    assert_eq!(objects.len(), 6);
}

#[test]
fn an_entry_has_no_more_than_istio_accepts() {
    let hosts: Vec<_> = (0..300).map(|at| format!("h{at}.example.com")).collect();
    let many: Vec<_> = hosts.iter().map(|host| (host.as_str(), 443, Https)).collect();
    let objects = together(&many);
    assert_eq!(objects.len(), 4);
    assert_eq!(objects[0]["spec"]["hosts"].as_array().unwrap().len(), 256);

    let mut ports = set(&[]);
    for port in 1..=256 {
        ports.add(endpoint("a.example.com", port, Https)).unwrap();
    }
    let refusal = ports.add(endpoint("a.example.com", 257, Https)).unwrap_err();
    assert!(refusal.to_string().starts_with("a.example.com has more than 256 ports"));
}

#[test]
fn an_entry_of_one_namespace_is_exported_only_to_it() {
    let own = Scope { visibility: Visibility::Namespace, part: None, ..scope(Grouping::Together) };
    let objects = objects(&own, &set(&[("a.example.com", 443, Https), ("10.0.0.1", 1, Tcp)]));
    assert_eq!(names(&objects), ["ServiceEntry prod-fqdn", "ServiceEntry prod-ip", "VirtualService prod-fqdn"]);
    assert!(objects.iter().all(|object| object["spec"]["exportTo"] == json!(["."])));
}

#[test]
fn a_target_of_several_sets_is_in_the_first_with_the_ports_of_all() {
    let (sets, refused) = divide(
        &[
            set(&[("a.example.com", 443, Https)]),
            set(&[("a.example.com", 443, Https), ("a.example.com", 9999, Https), ("b.example.com", 443, Https)]),
            set(&[("a.example.com", 9999, Http), ("10.0.0.1", 1, Tcp)]),
        ],
        Precedence::First,
    );
    assert_eq!(sets[0], set(&[("a.example.com", 443, Https), ("a.example.com", 9999, Https)]));
    assert_eq!(sets[1], set(&[("b.example.com", 443, Https)]));
    assert_eq!(sets[2], set(&[("10.0.0.1", 1, Tcp)]));
    assert_eq!(refused.len(), 1);
    assert!(refused[0].to_string().starts_with("port 9999 of a.example.com is HTTPS already"));
}

#[test]
fn plain_http_yields_to_https_only_with_that_precedence() {
    let wanted = [set(&[("a.example.com", 8080, Http)]), set(&[("a.example.com", 8080, Https)])];
    let (sets, refused) = divide(&wanted, Precedence::Secure);
    assert_eq!(sets, [set(&[("a.example.com", 8080, Https)]), set(&[])]);
    assert_eq!(refused[0].to_string(), "port 8080 of a.example.com is HTTPS already, so it can't be HTTP, too");
    assert!(wanted[0].concerns(&refused[0]) && !wanted[1].concerns(&refused[0]));
    assert_eq!(divide(&wanted, Precedence::First).0, [wanted[0].clone(), set(&[])]);
    let proxied = [wanted[0].clone(), set(&[("a.example.com", 8080, Tcp)])];
    assert_eq!(divide(&proxied, Precedence::Secure).0, [wanted[0].clone(), set(&[])], "to nothing else");
}

fn some_endpoints() -> impl Strategy<Value = Vec<(usize, i64, usize)>> {
    prop::collection::vec((0..8_usize, 1..6_i64, 0..4_usize), 0..40)
}

proptest! {
    #[test]
    fn each_host_and_each_port_of_an_entry_is_unique_for_all_endpoints(wanted in some_endpoints(), exact: bool) {
        let mut set = Endpoints::new();
        for (target, port, protocol) in wanted {
            let target = [
                "a.example.com", "b.example.com", "c.example.com", "d.example.com",
                "*.example.com", "*.example.org", "10.0.0.1", "::2",
            ][target];
            let target = Net::parse(target).map(Target::Net).or_else(|_| Target::name(target)).unwrap();
            let protocol = [Http, Https, Tls, Tcp][protocol];
            if let Ok(endpoint) = Endpoint::new(target, Port::new(port).unwrap(), Some(protocol)) {
                let _ = set.add(endpoint);
            }
        }
        let grouping = if exact { Grouping::ByPorts } else { Grouping::Together };
        let (mut seen, mut names) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
        for object in objects(&scope(grouping), &set) {
            let kind = object["kind"].to_string();
            prop_assert!(names.insert((kind.clone(), object["metadata"]["name"].to_string())));
            let spec = &object["spec"];
            for host in spec["hosts"].as_array().into_iter().chain(spec["addresses"].as_array()).flatten() {
                *seen.entry(format!("{kind} {host}")).or_default() += 1;
            }
            let ports = spec["ports"].as_array().into_iter().flatten();
            let ports: Vec<_> = ports.map(|port| port["number"].as_u64()).collect();
            prop_assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
        }
        prop_assert!(seen.values().all(|times| *times == 1), "{:?}", seen);
    }
}
