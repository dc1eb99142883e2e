//! Targets in another party's entries: they are left to those, and reported where that is not
//! enough.

use super::*;

/// An entry that belongs to no list, of `api.example.com` at these ports, for these namespaces.
fn entry(name: &str, ports: &Value, export_to: &Value) -> String {
    let ports: Vec<_> = ports.as_array().unwrap().iter().map(|port| json!({"number": port, "name": "a"})).collect();
    let mut entry = json!({"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry",
           "metadata": {"name": name, "namespace": "dynatrace",
               "creationTimestamp": format!("2026-0{}-01T00:00:00Z", name.len())},
           "spec": {"hosts": ["x.example.com", "api.example.com"], "ports": ports}});
    if !export_to.is_null() {
        entry["spec"]["exportTo"] = export_to.clone();
    }
    entry.to_string()
}

#[test]
fn a_host_in_another_partys_entry_is_left_to_that_entry() {
    for (export_to, visibility) in
        [(json!(["*"]), "Namespace"), (Value::Null, "Mesh"), (json!([]), "Namespace"), (json!(["web"]), "Namespace")]
    {
        let whole = entry("prod", &json!([443, 80]), &export_to);
        let outcome = reconciled(&Cluster::new().with(LIST).with(&whole), LIST, visibility);
        assert!(!format!("{:?}", outcome.desired).contains("api.example.com"), "{export_to}: {outcome:#?}");
        assert_eq!(
            reported(&outcome),
            (Some(true), "Allowed", "4 in 4 entries; api.example.com is in ServiceEntry dynatrace/prod")
        );
        assert_eq!(outcome.readiness, Readiness::Ready);
    }
}

#[test]
fn a_port_that_another_partys_entry_lacks_is_reported() {
    let half = entry("prod", &json!([443]), &Value::Null);
    let younger = entry("younger", &json!([443, 80]), &Value::Null);
    let outcome = reconciled(&Cluster::new().with(LIST).with(&younger).with(&half), LIST, "Namespace");
    let (allowed, reason, message) = reported(&outcome);
    assert_eq!((allowed, reason), (Some(false), "Clash"));
    let why = "port 80 of api.example.com is not in ServiceEntry dynatrace/prod, which Istio uses: add it there";
    assert!(message.starts_with(why) && !message.contains("port 443"), "{message}");
    assert!(matches!(outcome.readiness, Readiness::Warning(_)));
}

#[test]
fn an_entry_for_other_workloads_is_ignored() {
    for (export_to, visibility) in
        [(json!(["."]), "Namespace"), (json!(["other"]), "Namespace"), (json!(["web"]), "Mesh")]
    {
        let elsewhere = entry("prod", &json!([443]), &export_to);
        let outcome = reconciled(&Cluster::new().with(LIST).with(&elsewhere), LIST, visibility);
        assert_eq!(reported(&outcome), (Some(true), "Allowed", "5 in 5 entries"), "{export_to} {visibility}");
    }
    let own = entry("prod", &json!([443]), &json!(["."])).replace("\"dynatrace\"", "\"web\"");
    assert!(
        reported(&reconciled(&Cluster::new().with(LIST).with(&own), LIST, "Namespace"))
            .2
            .contains("ServiceEntry web/prod")
    );
}

#[test]
fn entries_of_lists_are_not_another_partys() {
    let of_a_list = alone(LIST).desired.unwrap();
    let cluster = of_a_list.iter().fold(Cluster::new().with(LIST), |cluster, own| cluster.with(&own.to_string()));
    assert_eq!(reconciled(&cluster, LIST, "Namespace").desired, Some(of_a_list));
}

#[test]
fn while_another_partys_entries_are_unavailable_the_call_fails() {
    let cluster = Cluster::new().with(LIST).with_unavailable(service_entry());
    let failure = testing::reconcile::<EgressHosts>(&cluster, LIST, &json!({})).unwrap_err();
    assert!(matches!(failure, Failure::Retry(_)), "{failure:?}");
}

#[test]
fn a_long_list_queries_all_of_its_hosts() {
    let lines: Vec<_> =
        (0..200).map(|at| json!({"host": format!("h{at}.example.com"), "port": 443, "protocol": "TLS"})).collect();
    let list = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "ExternalHosts",
                      "metadata": {"name": "long", "namespace": "web"}, "spec": {"hosts": lines}})
    .to_string();
    let taken = entry("prod", &json!([443]), &Value::Null).replace("api.example.com", "h199.example.com");
    let outcome = reconciled(&Cluster::new().with(&list).with(&taken), &list, "Namespace");
    assert!(
        reported(&outcome).2.ends_with("h199.example.com is in ServiceEntry dynatrace/prod"),
        "{}",
        reported(&outcome).2
    );
}
