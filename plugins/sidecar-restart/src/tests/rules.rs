//! Which sidecars are outdated.

use super::*;

/// What is wrong with a pod, from the reason of its workload's restart; empty if nothing is.
fn wrong_as(pod: &Value, spec: &Value, config: &Value) -> String {
    let mut config = config.clone();
    config["image"] = json!(NEW);
    let outcome = reconciled(&cart_with(pod), spec, &config);
    assert!(outcome.patches.len() <= 1, "{outcome:?}");
    outcome.patches.first().map(|patch| patch.reason.trim_start_matches("restarted: ").to_owned()).unwrap_or_default()
}

fn wrong(pod: &Value) -> String {
    wrong_as(pod, &json!({}), &json!({}))
}

fn annotated(mut pod: Value, annotations: &[(&str, &str)]) -> Value {
    for (key, value) in annotations {
        pod["metadata"]["annotations"][*key] = json!(value);
    }
    pod
}

fn with_resources(limits: &Value, requests: &Value) -> Value {
    let mut pod = pod(NEW);
    pod["spec"]["containers"][1]["resources"] = json!({"limits": limits, "requests": requests});
    pod
}

fn with_env(env: &[(&str, &str)]) -> Value {
    let mut pod = pod(NEW);
    let env: Vec<_> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    pod["spec"]["containers"][1]["env"] = json!(env);
    pod
}

#[test]
fn an_up_to_date_sidecar_is_not_restarted() {
    assert_eq!(wrong(&pod(NEW)), "");
    let outcome = outcome(&cart_with(&pod(NEW)));
    assert_eq!((outcome.patches, outcome.deletions, outcome.events), (vec![], vec![], vec![]));
}

#[test]
fn another_image_restarts() {
    assert_eq!(wrong(&pod(OLD)), format!("its image is {OLD}, not {NEW}"));
}

#[test]
fn the_sidecar_is_found_among_the_init_containers_too() {
    let mut native = pod(OLD);
    let proxy = native["spec"]["containers"].as_array_mut().unwrap().pop().unwrap();
    native["spec"]["initContainers"].as_array_mut().unwrap().push(proxy);
    assert!(wrong(&native).starts_with("its image"), "{}", wrong(&native));
    native["spec"]["initContainers"][1]["image"] = json!(NEW);
    assert_eq!(wrong(&native), "");
}

#[test]
fn a_pod_with_its_own_image_keeps_image_and_resources() {
    let mut own = annotated(pod(OLD), &[("sidecar.istio.io/proxyImage", OLD)]);
    own["spec"]["containers"][1]["resources"] = json!({});
    assert_eq!(wrong(&own), "");
}

#[test]
fn a_pods_own_image_type_is_expected_there() {
    let distroless = format!("{NEW}-distroless");
    let own = [("sidecar.istio.io/proxyImageType", "distroless")];
    assert_eq!(wrong(&annotated(pod(&distroless), &own)), "");
    assert_eq!(wrong(&annotated(pod(NEW), &own)), format!("its image is {NEW}, not {distroless}"));
}

#[test]
fn other_resources_restart_whatever_way_amounts_are_written() {
    let pod = with_resources(&json!({"cpu": "2000m", "memory": "1024Mi"}), &json!({"cpu": "0.1", "memory": "128Mi"}));
    assert_eq!(wrong(&pod), "");
    let pod = with_resources(&json!({"cpu": "1"}), &json!({"cpu": "100m", "memory": "128Mi"}));
    assert_eq!(wrong(&pod), "limits.cpu is 1, not 2000m; limits.memory is unset, not 1024Mi");
}

#[test]
fn the_subjects_resources_override_the_configurations_one_by_one() {
    let spec = json!({"components": {"proxy": {"k8s": {"resources": {"limits": {"cpu": "3"}}}}}});
    let pod = with_resources(&json!({"cpu": "3", "memory": "1Gi"}), &json!({"cpu": "50m", "memory": "128Mi"}));
    let config = json!({"defaults": {"resources": {"limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "50m", "memory": "128Mi"}}}});
    assert_eq!(wrong_as(&pod, &spec, &config), "");
    assert_eq!(wrong_as(&pod, &json!({}), &config), "limits.cpu is 3, not 1");
}

#[test]
fn annotations_of_the_pod_replace_the_expected_resources() {
    let limits = [("sidecar.istio.io/proxyCPULimit", "500m"), ("sidecar.istio.io/proxyMemoryLimit", "256Mi")];
    let copied = with_resources(&json!({"cpu": "500m", "memory": "256Mi"}), &json!({"cpu": "500m", "memory": "256Mi"}));
    assert_eq!(wrong(&annotated(copied, &limits)), "", "a request that is not given is the limit");
    let unset = with_resources(&json!({"cpu": "500m", "memory": "256Mi"}), &json!({}));
    assert_eq!(wrong(&annotated(unset, &limits)), "");
    let other = with_resources(&json!({"cpu": "1", "memory": "256Mi"}), &json!({}));
    assert_eq!(wrong(&annotated(other, &limits)), "limits.cpu is 1, not 500m; requests.cpu is 1, not 500m");
}

#[test]
fn one_annotated_amount_may_leave_the_others_as_expected_or_unset() {
    let own = [("sidecar.istio.io/proxyCPU", "200m")];
    let other = with_resources(&json!({"cpu": "2", "memory": "1Gi"}), &json!({"cpu": "200m", "memory": "128Mi"}));
    assert_eq!(wrong(&annotated(other, &own)), "");
    let alone = with_resources(&json!({}), &json!({"cpu": "200m"}));
    assert_eq!(wrong(&annotated(alone, &own)), "");
    assert_eq!(
        wrong(&annotated(pod(NEW), &own)),
        "limits.cpu is 2, not unset; limits.memory is 1Gi, not unset; \
        requests.cpu is 100m, not 200m; requests.memory is 128Mi, not unset"
    );
}

#[test]
fn merged_metrics_are_recognised_by_the_pods_annotations() {
    let telemetry = |on: bool| json!({"config": {"telemetry": {"metrics": {"prometheusMerge": on}}}});
    let merged = [
        ("prometheus.io/path", "/stats/prometheus"),
        ("prometheus.io/port", "15020"),
        ("prometheus.io/scrape", "true"),
    ];
    for (annotations, on, off) in [
        (&merged[..], "", "its metrics are merged with its workload's"),
        (&[], "its metrics are not merged with its workload's", ""),
        (
            &[("prometheus.io/path", "/metrics"), ("prometheus.io/port", "15020")],
            "its metrics are not merged with its workload's",
            "",
        ),
        (&[("prometheus.io/scrape", "false")], "", ""),
        (&[("prometheus.istio.io/merge-metrics", "false")], "", ""),
    ] {
        let pod = annotated(pod(NEW), annotations);
        assert_eq!(wrong_as(&pod, &telemetry(true), &json!({})), on, "{annotations:?}");
        assert_eq!(wrong_as(&pod, &telemetry(false), &json!({})), off, "{annotations:?}");
        assert_eq!(wrong_as(&pod, &json!({}), &json!({})), "", "no setting requires or forbids it");
    }
}

#[test]
fn another_way_of_redirecting_traffic_restarts() {
    let mut init = pod(NEW);
    init["spec"]["initContainers"][0]["name"] = json!("istio-init");
    let cni = |on: bool| json!({"defaults": {"cni": on}});
    assert_eq!(wrong_as(&init, &json!({}), &cni(true)), "an init container redirects its traffic, not the CNI plugin");
    assert_eq!(wrong_as(&init, &json!({}), &cni(false)), "");
    assert_eq!(wrong_as(&pod(NEW), &json!({}), &cni(true)), "");
    assert_eq!(
        wrong_as(&pod(NEW), &json!({}), &cni(false)),
        "the CNI plugin redirects its traffic, not an init container"
    );
    assert_eq!(wrong(&init), "", "no setting requires one way or the other");
}

#[test]
fn dns_proxying_is_recognised_by_the_proxys_environment_where_it_is_visible() {
    let dns = |on: bool| json!({"config": {"enableDNSProxying": on}});
    let on = with_env(&[("TRUST_DOMAIN", "cluster.local"), ("ISTIO_META_DNS_CAPTURE", "true")]);
    let off = with_env(&[("TRUST_DOMAIN", "cluster.local")]);
    assert_eq!(wrong_as(&on, &dns(false), &json!({})), "it resolves DNS queries");
    assert_eq!(wrong_as(&off, &dns(true), &json!({})), "it does not resolve DNS queries");
    for (pod, spec) in [(&on, dns(true)), (&off, dns(false)), (&on, json!({})), (&pod(NEW), dns(true))] {
        assert_eq!(wrong_as(pod, &spec, &json!({})), "");
    }
    let own = annotated(off, &[("proxy.istio.io/config", "proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'false'}")]);
    assert_eq!(wrong_as(&own, &dns(true), &json!({})), "", "the pod sets it itself");
}

#[test]
fn another_trust_domain_restarts_where_it_is_visible() {
    let spec = json!({"config": {"trustDomain": "a.example.com"}});
    let pod_in = |domain: &str| with_env(&[("TRUST_DOMAIN", domain)]);
    assert_eq!(
        wrong_as(&pod_in("cluster.local"), &spec, &json!({})),
        "its trust domain is cluster.local, not a.example.com"
    );
    assert_eq!(wrong_as(&pod_in("a.example.com"), &spec, &json!({})), "");
    assert_eq!(wrong_as(&pod(NEW), &spec, &json!({})), "");
    let config = json!({"defaults": {"trustDomain": "cluster.local"}});
    assert_eq!(
        wrong_as(&pod_in("a.example.com"), &json!({}), &config),
        "its trust domain is a.example.com, not cluster.local"
    );
}

#[test]
fn completed_or_deleted_pods_cause_no_restart() {
    for (at, value) in [
        ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
        ("/status/phase", json!("Succeeded")),
        ("/status/phase", json!("Failed")),
    ] {
        let mut pod = pod(OLD);
        let (parent, key) = at.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[key] = value;
        assert_eq!(wrong(&pod), "", "{at}");
    }
}

#[test]
fn another_control_planes_sidecar_is_ignored_until_the_namespace_moves() {
    let other = annotated(pod(OLD), &[("istio.io/rev", "canary")]);
    assert_eq!(wrong(&other), "its sidecar is of revision canary, not default");
    let theirs = json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"istio.io/rev": "canary"}}});
    let cluster = with(cart_with(&other), &theirs);
    assert_eq!(restarted(&outcome(&cluster)), Vec::<String>::new());
    let ours = annotated(pod(OLD), &[("istio.io/rev", "default")]);
    assert_eq!(restarted(&outcome(&with(cart_with(&ours), &theirs))), ["Deployment cart"]);
}

/// The workloads that are restarted for a pod with other resources and this annotation.
fn restarted_with(image: &str, annotation: &str, value: &str) -> Vec<String> {
    let mut own = pod(image);
    own["metadata"]["annotations"][annotation] = json!(value);
    own["spec"]["containers"][1]["resources"]["limits"]["cpu"] = json!("4");
    restarted(&outcome(&cart_with(&own)))
}

#[test]
fn a_proxy_of_another_template_is_judged_by_its_image_alone() {
    const TEMPLATES: &str = "inject.istio.io/templates";
    assert_eq!(restarted_with(NEW, TEMPLATES, "gateway"), <[String; 0]>::default());
    assert_eq!(restarted_with(OLD, TEMPLATES, "gateway"), ["Deployment cart"]);
    assert_eq!(restarted_with(NEW, TEMPLATES, "sidecar, spire"), ["Deployment cart"], "it is a sidecar, too");
}

#[test]
fn resources_that_an_autoscaler_sets_restart_nothing() {
    let by = "Pod resources updated by cart: container 1: cpu limit";
    assert_eq!(restarted_with(NEW, "vpaUpdates", by), <[String; 0]>::default());
    assert_eq!(restarted_with(OLD, "vpaUpdates", by), ["Deployment cart"]);
}

#[test]
fn what_the_pods_own_template_says_of_the_proxy_restarts_nothing() {
    const OVERRIDES: &str = "proxy.istio.io/overrides";
    let of = |field: &str| format!(r#"{{"containers":[{{"name":"istio-proxy",{field}}}]}}"#);
    assert_eq!(restarted_with(NEW, OVERRIDES, &of(r#""resources":{"limits":{"cpu":"4"}}"#)), <[String; 0]>::default());
    assert_eq!(restarted_with(NEW, OVERRIDES, &of(r#""resources":{}"#)), ["Deployment cart"]);
    assert_eq!(restarted_with(NEW, OVERRIDES, "not JSON"), ["Deployment cart"]);
    let image = of(r#""image":"mine","resources":{"limits":{"cpu":"4"}}"#);
    assert_eq!(restarted_with(OLD, OVERRIDES, &image), <[String; 0]>::default());
}
