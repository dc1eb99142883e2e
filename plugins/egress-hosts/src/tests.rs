//! Lists, and the Istio objects for them.

mod foreign;

use std::path::Path;

use mizzen_sdk::testing::{self, Cluster};
use mizzen_sdk::{AccessError, Readiness};

use super::*;

const LIST: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: ExternalHosts
metadata: {name: shop, namespace: web, creationTimestamp: '2026-02-01T00:00:00Z'}
spec:
  hosts:
    - {host: api.example.com, port: 443, protocol: HTTPS}
    - {host: api.example.com, port: 80, protocol: HTTP}
    - {host: db.example.com, port: 5432, protocol: TCP, name: db}
    - {host: '*.cdn.example.com', port: 443, protocol: TLS}
    - {ip: 203.0.113.7, port: 443}
    - {cidr: '2001:db8::/32', port: 8443, protocol: TCP}
";

const OLDER: &str = "
apiVersion: mizzen.dev/v1alpha1
kind: ExternalHosts
metadata: {name: all, namespace: platform, creationTimestamp: '2026-01-01T00:00:00Z'}
spec:
  hosts:
    - {host: api.example.com, port: 443, protocol: HTTPS}
    - {host: api.example.com, port: 80, protocol: TLS}
    - {host: 'not a host', port: 443, protocol: HTTPS}
";

fn reconciled(cluster: &Cluster, list: &str, visibility: &str) -> Outcome {
    testing::reconcile::<EgressHosts>(cluster, list, &json!({"visibility": visibility})).unwrap()
}

fn alone(list: &str) -> Outcome {
    reconciled(&Cluster::new().with(list), list, "Namespace")
}

fn names(outcome: &Outcome) -> Vec<String> {
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "");
    outcome.desired.iter().flatten().map(name).collect()
}

fn reported(outcome: &Outcome) -> (Option<bool>, &str, &str) {
    let [condition] = outcome.conditions.as_slice() else { unreachable!("{:?}", outcome.conditions) };
    (condition.status, &condition.reason, &condition.message)
}

/// The message about a list with this line.
fn wrong(line: &str) -> String {
    let list = format!(
        "{{apiVersion: mizzen.dev/v1alpha1, kind: ExternalHosts, metadata: {{name: a, namespace: b}}, \
         spec: {{hosts: [{{ip: 10.0.0.1, port: 1}}, {line}]}}}}"
    );
    let outcome = alone(&list);
    assert_eq!((&outcome.desired, reported(&outcome).1), (&None, "Invalid"), "{line}");
    reported(&outcome).2.to_owned()
}

#[test]
fn the_crd_in_deploy_is_the_one_that_the_types_generate() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds/externalhosts.mizzen.dev.yaml");
    mizzen_model::crd::assert_file(&file, &crd());
}

#[test]
fn listed_hosts_can_be_reached() {
    let outcome = alone(LIST);
    assert_eq!(
        names(&outcome),
        [
            "ServiceEntry shop-fqdn",
            "ServiceEntry shop-wildcard",
            "ServiceEntry shop-ip",
            "ServiceEntry shop-ip-2",
            "VirtualService shop-fqdn",
            "ServiceEntry shop-tcp.db",
        ]
    );
    assert_eq!(outcome.readiness, Readiness::Ready);
    assert_eq!(reported(&outcome), (Some(true), "Allowed", "5 in 5 entries"));
    let status = outcome.status.unwrap();
    assert_eq!(status["targets"], 5);
    assert_eq!(status["entries"], json!(["shop-fqdn", "shop-wildcard", "shop-ip", "shop-ip-2", "shop-tcp.db"]));
}

#[test]
fn lines_with_names_are_in_separate_entries() {
    let line = |host: &str, name: &str| format!("{{host: {host}.example.com, port: 5432, protocol: TCP, {name}}}");
    let lines = [
        line("a", "name: db"),
        line("b", "name: db"),
        line("c", "name: db-2"),
        line("d", ""),
        line("e", ""),
        line("f", "name: '2'"),
    ];
    let list = |name: &str, lines: &[String]| {
        format!(
            "{{apiVersion: mizzen.dev/v1alpha1, kind: ExternalHosts, metadata: {{name: {name}, namespace: web}}, \
             spec: {{hosts: [{}]}}}}",
            lines.join(", ")
        )
    };
    let own = ["tcp", "tcp-2", "tcp.2", "tcp.db", "tcp-2.db", "tcp.db-2"].map(|end| format!("ServiceEntry shop-{end}"));
    assert_eq!(names(&alone(&list("shop", &lines))), own);
    let of_two = [("shop", "name: tcp-x"), ("shop-tcp", "name: x")]
        .map(|(list_name, part)| names(&alone(&list(list_name, &[line("a", part)]))));
    assert_ne!(of_two[0], of_two[1]);
}

#[test]
fn entries_apply_to_the_whole_mesh_only_if_the_configuration_says_so() {
    let exported = |outcome: &Outcome| {
        let objects = outcome.desired.clone().unwrap();
        objects.iter().filter(|object| object["spec"]["exportTo"] == json!(["."])).count()
    };
    let cluster = Cluster::new().with(LIST);
    assert_eq!(exported(&reconciled(&cluster, LIST, "Namespace")), 6);
    assert_eq!(exported(&reconciled(&cluster, LIST, "Mesh")), 0);
    let default = testing::reconcile::<EgressHosts>(&cluster, LIST, &json!({})).unwrap();
    assert_eq!(exported(&default), 6);
}

#[test]
fn an_invalid_line_is_named_by_its_field_and_existing_entries_stay() {
    for (line, field, why) in [
        ("{host: a.example.com, port: 70000, protocol: HTTPS}", "spec.hosts[1].port", "70000 is not a valid port"),
        ("{host: a.example.com, port: 0, protocol: HTTPS}", "spec.hosts[1].port", "1 to 65535"),
        ("{host: a.example.com, port: 99999999999, protocol: HTTPS}", "spec.hosts[1].port", "99999999999"),
        ("{host: a.example.com, protocol: HTTPS}", "spec.hosts[1]", "`port`"),
        ("{host: a.example.com, port: 443}", "spec.hosts[1].protocol", "write HTTP, HTTPS, TLS or TCP"),
        ("{host: a.example.com, port: 443, protocol: UDP}", "spec.hosts[1].protocol", "`UDP`"),
        ("{host: a_b, port: 443, protocol: HTTPS}", "spec.hosts[1].host", "not a valid host name"),
        ("{host: 10.0.0.1, port: 443, protocol: HTTPS}", "spec.hosts[1].host", "an address"),
        ("{host: '*.example.com', port: 443, protocol: TCP}", "spec.hosts[1].protocol", "everything"),
        ("{ip: 10.0.0.0/8, port: 443}", "spec.hosts[1].ip", "not a valid address"),
        ("{ip: 127.0.0.1, port: 443}", "spec.hosts[1].ip", "loopback"),
        ("{ip: 10.0.0.1, port: 443, protocol: HTTP}", "spec.hosts[1].protocol", "HTTP can't be distinguished"),
        ("{cidr: 0.0.0.0/0, port: 443}", "spec.hosts[1].cidr", "ALLOW_ANY"),
        ("{cidr: 10.0.0.1/8, port: 443}", "spec.hosts[1].cidr", "`10.0.0.0/8`"),
        ("{host: a.example.com, ip: 10.0.0.1, port: 443}", "spec.hosts[1]", "one of `host`, `ip` and `cidr`"),
        ("{port: 443}", "spec.hosts[1]", "one of `host`, `ip` and `cidr`"),
        ("{ip: 10.0.0.2, port: 443, name: A}", "spec.hosts[1].name", "`A` can't be part"),
        (
            "{host: a.example.com, port: 443, protocol: TLS}, \
             {host: A.example.com, port: 443, protocol: HTTP, name: x}",
            "spec.hosts[2].protocol",
            "port 443 of a.example.com is TLS already",
        ),
    ] {
        let message = wrong(line);
        assert!(message.starts_with(&format!("`{field}`: ")) && message.contains(why), "{line}: {message}");
    }
    let long = LIST.replace("name: shop", &format!("name: {}", "a".repeat(41)));
    assert!(reported(&alone(&long)).2.starts_with("`metadata.name`: "));
}

#[test]
fn a_target_of_two_lists_is_in_the_older_ones_entries_with_the_ports_of_both() {
    let cluster = Cluster::new().with(LIST).with(OLDER);
    let younger = reconciled(&cluster, LIST, "Mesh");
    assert!(!names(&younger).contains(&"ServiceEntry shop-fqdn".to_owned()));
    let (allowed, reason, message) = reported(&younger);
    assert_eq!((allowed, reason), (Some(false), "Clash"));
    assert!(message.starts_with("port 80 of api.example.com is TLS already"), "{message}");
    assert!(message.ends_with("4 in 4 entries; api.example.com is in an entry of platform/all"), "{message}");
    assert!(matches!(younger.readiness, Readiness::Warning(_)));

    let more = LIST.replace("port: 80, protocol: HTTP", "port: 8080, protocol: HTTP");
    let older =
        reconciled(&Cluster::new().with(&more).with(OLDER), &OLDER.replace("'not a host'", "b.example.com"), "Mesh");
    let objects = older.desired.clone().unwrap();
    let entry = objects.iter().find(|object| object["spec"]["hosts"] == json!(["api.example.com"])).unwrap();
    let ports: Vec<_> = entry["spec"]["ports"].as_array().unwrap().iter().map(|port| &port["number"]).collect();
    assert_eq!(ports, [80, 443, 8080]);
    assert_eq!(reported(&older).1, "Allowed");
}

#[test]
fn a_list_for_its_own_namespace_ignores_lists_of_other_namespaces() {
    let outcome = reconciled(&Cluster::new().with(LIST).with(OLDER), LIST, "Namespace");
    assert_eq!(reported(&outcome), (Some(true), "Allowed", "5 in 5 entries"));
}

#[test]
fn an_empty_list_allows_nothing() {
    let outcome = alone(
        "{apiVersion: mizzen.dev/v1alpha1, kind: ExternalHosts, metadata: {name: a, namespace: b}, spec: {hosts: []}}",
    );
    assert_eq!((outcome.desired, outcome.so_far), (Some(Vec::new()), false));
}

#[test]
fn without_istio_nothing_is_desired_and_nothing_is_pruned() {
    for kind in [service_entry(), virtual_service()] {
        let outcome = reconciled(&Cluster::new().with(LIST).without_kind(kind), LIST, "Namespace");
        assert_eq!(
            (&outcome.desired, reported(&outcome)),
            (&None, (None, "IstioMissing", "Istio's CRDs are not installed yet"))
        );
        assert!(matches!(outcome.readiness, Readiness::Progressing(_)));
    }
}

#[test]
fn while_the_other_lists_are_unavailable_the_call_fails() {
    let cluster = Cluster::new().with_unavailable(external_hosts());
    let failure = testing::reconcile::<EgressHosts>(&cluster, LIST, &json!({})).unwrap_err();
    assert_eq!(failure, Failure::from(AccessError::Unavailable("ExternalHosts can't be read now".into())));
}
