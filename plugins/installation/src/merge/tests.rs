//! Where each setting appears in the `IstioOperator`.

use mizzen_istio_api::{Spec, Version};
use serde_json::{Value, json};

use super::*;

fn merged(config: &Value, spec: &Value, size: Size, provider: Provider) -> Value {
    let config: Config = serde_json::from_value(config.clone()).unwrap();
    let spec: Spec = serde_json::from_value(spec.clone()).unwrap();
    istio_operator(&Inputs { config: &config, spec: &spec, version: Version::new(1, 31, 0), size, provider })
}

fn of(spec: &Value) -> Value {
    merged(&json!({}), spec, Size::Full, Provider::Other)
}

/// The value at a path; elements of lists are found by their names.
fn at<'a>(document: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(document, |value, step| match value {
        Value::Array(items) => items.iter().find(|item| item["name"] == step).unwrap_or(&Value::Null),
        other => &other[step],
    })
}

const TOPOLOGY: &str = "spec.meshConfig.defaultConfig.gatewayTopology";
const INGRESS: &str = "spec.components.ingressGateways.istio-ingressgateway";
const EGRESS: &str = "spec.components.egressGateways.istio-egressgateway";

#[test]
fn every_field_of_the_custom_resource_has_an_effect() {
    let config = |field: &str, value: Value| json!({"config": {field: value}});
    let component = |name: &str, k8s: Value| json!({"components": {name: {"k8s": k8s}}});
    let resources = json!({"limits": {"cpu": "3", "memory": "3Gi"}, "requests": {"cpu": "300m", "memory": "300Mi"}});
    let hpa = json!({"minReplicas": 4, "maxReplicas": 7});
    let strategy = json!({"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}});
    let k8s = json!({"hpaSpec": hpa, "strategy": strategy, "resources": resources});
    let affinity = json!({"nodeAffinity": {"x": [1]}});
    let default_config = "spec.meshConfig.defaultConfig";
    let cases = [
        (config("numTrustedProxies", json!(0)), format!("{TOPOLOGY}.numTrustedProxies"), json!(0)),
        (
            config("forwardClientCertDetails", json!("APPEND_FORWARD")),
            format!("{TOPOLOGY}.forwardClientCertDetails"),
            json!("APPEND_FORWARD"),
        ),
        (
            config("gatewayExternalTrafficPolicy", json!("Local")),
            "spec.values.gateways.istio-ingressgateway.externalTrafficPolicy".into(),
            json!("Local"),
        ),
        (
            config("telemetry", json!({"metrics": {"prometheusMerge": false}})),
            "spec.meshConfig.enablePrometheusMerge".into(),
            json!(false),
        ),
        (config("trustDomain", json!("a.b")), "spec.meshConfig.trustDomain".into(), json!("a.b")),
        (
            config("enableDNSProxying", json!(true)),
            format!("{default_config}.proxyMetadata.ISTIO_META_DNS_CAPTURE"),
            json!("true"),
        ),
        (
            config("proxyStatsMatcher", json!({"inclusionRegexps": ["a.*"]})),
            format!("{default_config}.proxyStatsMatcher.inclusionRegexps"),
            json!(["a.*"]),
        ),
        (component("pilot", k8s.clone()), "spec.components.pilot.k8s".into(), k8s.clone()),
        (component("ingressGateway", k8s.clone()), format!("{INGRESS}.k8s"), k8s.clone()),
        (component("egressGateway", k8s.clone()), format!("{EGRESS}.k8s"), k8s.clone()),
        (json!({"components": {"egressGateway": {"enabled": true}}}), format!("{EGRESS}.enabled"), json!(true)),
        (
            component("cni", json!({"resources": resources, "affinity": affinity})),
            "spec.components.cni.k8s".into(),
            json!({"resources": resources, "affinity": affinity}),
        ),
        (
            component("proxy", json!({"resources": resources})),
            "spec.values.global.proxy.resources".into(),
            resources.clone(),
        ),
        (json!({"compatibilityMode": true}), "spec.compatibilityVersion".into(), json!("1.30")),
        (json!({"compatibilityMode": false}), "spec.compatibilityVersion".into(), json!(null)),
        (json!({"networkPoliciesEnabled": true}), "spec.values.global.networkPolicy.enabled".into(), json!(true)),
        (
            json!({"experimental": {"pilot": {"enableAlphaGatewayAPI": true}}}),
            "spec.values.pilot.env.PILOT_ENABLE_ALPHA_GATEWAY_API".into(),
            json!("true"),
        ),
        (
            json!({"experimental": {"pilot": {"enableMultiNetworkDiscoverGatewayAPI": true}}}),
            "spec.values.pilot.env.PILOT_MULTI_NETWORK_DISCOVER_GATEWAY_API".into(),
            json!("true"),
        ),
        (
            json!({"experimental": {"enableDualStack": true}}),
            "spec.values.gateways.istio-ingressgateway.ipFamilyPolicy".into(),
            json!("RequireDualStack"),
        ),
        (
            json!({"experimental": {"enableDualStack": true}}),
            format!("{default_config}.proxyMetadata.ISTIO_DUAL_STACK"),
            json!("true"),
        ),
        (json!({"experimental": {"enableAmbient": true}}), "spec.components.ztunnel.enabled".into(), json!(true)),
        (json!({"experimental": {"enableAmbient": true}}), "spec.values.profile".into(), json!("ambient")),
    ];
    for (spec, path, expected) in cases {
        let merged = of(&spec);
        let there = at(&merged, &path);
        // Defaults beside it stay.
        let equal = match (there, &expected) {
            (Value::Object(there), Value::Object(expected)) => expected.iter().all(|(key, value)| there[key] == *value),
            (there, expected) => there == expected,
        };
        assert!(equal, "{spec}: {path} is {there}, not {expected}");
    }
}

#[test]
fn an_authorizer_is_an_extension_provider() {
    let merged = of(&json!({"config": {"authorizers": [{
        "name": "a", "service": "auth/a.example.com", "port": 8080, "pathPrefix": "/check", "timeout": "3s",
        "headers": {
            "inCheck": {"include": ["x-a"], "add": {"x-b": "c"}},
            "toUpstream": {"onAllow": ["x-*"]},
            "toDownstream": {"onAllow": ["x-c"], "onDeny": ["*-d"]},
        },
    }, {"name": "b", "service": "b", "port": 1}]}}));
    assert_eq!(
        at(&merged, "spec.meshConfig.extensionProviders"),
        &json!([{
            "name": "a",
            "envoyExtAuthzHttp": {
                "service": "auth/a.example.com", "port": 8080, "pathPrefix": "/check", "timeout": "3s",
                "includeRequestHeadersInCheck": ["x-a"],
                "includeAdditionalHeadersInCheck": {"x-b": "c"},
                "headersToUpstreamOnAllow": ["x-*"],
                "headersToDownstreamOnAllow": ["x-c"],
                "headersToDownstreamOnDeny": ["*-d"],
            },
        }, {"name": "b", "envoyExtAuthzHttp": {"service": "b", "port": 1}}])
    );
}

#[test]
fn unset_fields_are_left_to_istio() {
    let merged = of(&json!({}));
    for path in ["spec.meshConfig.trustDomain", "spec.meshConfig.extensionProviders", "spec.hub", TOPOLOGY] {
        assert_eq!(at(&merged, path), &Value::Null, "{path}");
    }
    let text = merged.to_string();
    assert!(!text.contains("null") && !text.contains("{}"), "Istio treats both as settings: {text}");
    assert_eq!(at(&merged, "spec.components.ztunnel"), &Value::Null);
    assert_eq!(of(&json!({"config": {}, "components": {}, "experimental": {}})), merged);
}

#[test]
fn the_configuration_sets_images_and_namespace() {
    let config = json!({"namespace": "mesh", "profile": "demo", "hub": "h", "tag": "t", "pullSecrets": ["s"]});
    let merged = merged(&config, &json!({}), Size::Full, Provider::Other);
    for (path, expected) in [
        ("metadata.namespace", json!("mesh")),
        ("spec.values.global.istioNamespace", json!("mesh")),
        ("spec.profile", json!("demo")),
        ("spec.hub", json!("h")),
        ("spec.tag", json!("t")),
        ("spec.values.global.imagePullSecrets", json!(["s"])),
    ] {
        assert_eq!(at(&merged, path), &expected, "{path}");
    }
}

#[test]
fn each_layer_overrides_those_before_it() {
    let cpu = format!("{INGRESS}.k8s.resources.requests.cpu");
    let by = |config: &Value, spec: &Value, size| at(&merged(config, spec, size, Provider::Other), &cpu).clone();
    let gateway = |cpu: &str| json!({"k8s": {"resources": {"requests": {"cpu": cpu}}}});
    let mut named = gateway("33m");
    named["name"] = json!("istio-ingressgateway");
    let overlay = json!({"overlay": {"components": {"ingressGateways": [named]}}});
    let spec = json!({"components": {"ingressGateway": gateway("44m")}});
    assert_eq!(by(&json!({}), &json!({}), Size::Full), "100m");
    assert_eq!(by(&json!({}), &json!({}), Size::Small), "10m");
    assert_eq!(by(&overlay, &json!({}), Size::Small), "33m");
    assert_eq!(by(&overlay, &spec, Size::Small), "44m");
}

#[test]
fn a_provider_changes_only_what_it_needs() {
    for (provider, path, expected) in [
        (Provider::Gke, "spec.values.cni.cniBinDir", json!("/home/kubernetes/bin")),
        (Provider::Gke, "spec.values.cni.resourceQuotas.enabled", json!(true)),
        (Provider::K3d, "spec.values.cni.cniConfDir", json!("/var/lib/rancher/k3s/agent/etc/cni/net.d")),
        (Provider::OpenStack, &*format!("{TOPOLOGY}.proxyProtocol"), json!({})),
        (Provider::OpenStack, &*format!("{INGRESS}.enabled"), json!(true)),
    ] {
        let there = merged(&json!({}), &json!({}), Size::Full, provider);
        assert_eq!(at(&there, path), &expected, "{provider:?} {path}");
    }
    let aws = merged(&json!({}), &json!({}), Size::Full, Provider::Aws);
    let annotations = &at(&aws, INGRESS)["k8s"]["serviceAnnotations"];
    assert_eq!(annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"], "internet-facing");
}

#[test]
fn lists_without_names_are_replaced() {
    let mut under = json!({"a": [1, 2], "b": [{"name": "x", "v": 1}]});
    overlay(&mut under, json!({"a": [3], "b": [{"name": "y"}, {"name": "x", "v": 2}]}));
    assert_eq!(under, json!({"a": [3], "b": [{"name": "x", "v": 2}, {"name": "y"}]}));
}
