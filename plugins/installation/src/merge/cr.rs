//! The fields of the custom resource as fields of an `IstioOperator`.

use mizzen_istio_api::{Authorizer, Components, Config, Experimental, PilotFeatures, Spec, Version};
use serde_json::{Map, Value, json};

pub(super) fn layer(spec: &Spec, version: Version) -> Value {
    let config = spec.config.clone().unwrap_or_default();
    let experimental = spec.experimental.clone().unwrap_or_default();
    let compatible = spec.compatibility_mode == Some(true);
    let proxy = spec.components.as_ref().and_then(|all| all.proxy.as_ref());
    let mut layer = json!({
        "compatibilityVersion": if compatible { version.minor_before() } else { None },
        "meshConfig": mesh(&config),
        "components": components(&spec.components.clone().unwrap_or_default()),
        "values": {
            "global": {
                "networkPolicy": {"enabled": spec.network_policies_enabled},
                "proxy": {"resources": proxy.map(|proxy| &proxy.k8s.resources)},
            },
            "gateways": {"istio-ingressgateway": {"externalTrafficPolicy": config.gateway_external_traffic_policy}},
        },
    });
    super::overlay(&mut layer, experiments(&experimental));
    without_empty(layer).unwrap_or_default()
}

fn mesh(config: &Config) -> Value {
    let authorizers: Option<Vec<_>> =
        (!config.authorizers.is_empty()).then(|| config.authorizers.iter().map(authorizer).collect());
    let regexps = config.proxy_stats_matcher.as_ref().map(|matcher| &matcher.inclusion_regexps);
    let merge = config.telemetry.as_ref().and_then(|telemetry| telemetry.metrics.as_ref()?.prometheus_merge);
    json!({
        "trustDomain": config.trust_domain,
        "enablePrometheusMerge": merge,
        "extensionProviders": authorizers,
        "defaultConfig": {
            "gatewayTopology": {
                "numTrustedProxies": config.num_trusted_proxies,
                "forwardClientCertDetails": config.forward_client_cert_details,
            },
            "proxyStatsMatcher": {"inclusionRegexps": regexps},
            "proxyMetadata": {"ISTIO_META_DNS_CAPTURE": config.enable_dns_proxying.map(|on| on.to_string())},
        },
    })
}

fn authorizer(authorizer: &Authorizer) -> Value {
    let headers = authorizer.headers.clone().unwrap_or_default();
    let check = headers.in_check.unwrap_or_default();
    let down = headers.to_downstream.unwrap_or_default();
    json!({
        "name": authorizer.name,
        "envoyExtAuthzHttp": {
            "service": authorizer.service,
            "port": authorizer.port,
            "timeout": authorizer.timeout,
            "pathPrefix": authorizer.path_prefix,
            "includeRequestHeadersInCheck": some(check.include),
            "includeAdditionalHeadersInCheck": (!check.add.is_empty()).then_some(check.add),
            "headersToUpstreamOnAllow": some(headers.to_upstream.unwrap_or_default().on_allow),
            "headersToDownstreamOnAllow": some(down.on_allow),
            "headersToDownstreamOnDeny": some(down.on_deny),
        },
    })
}

fn components(components: &Components) -> Value {
    let Components { pilot, ingress_gateway: ingress, egress_gateway: egress, cni, proxy: _ } = components;
    let gateway =
        |name: &str, enabled: Option<bool>, k8s: Value| json!([{"name": name, "enabled": enabled, "k8s": k8s}]);
    json!({
        "pilot": pilot,
        "cni": cni,
        "ingressGateways": ingress.as_ref().map(|own| gateway("istio-ingressgateway", None, json!(own.k8s))),
        "egressGateways": egress.as_ref().map(|own| gateway("istio-egressgateway", own.enabled, json!(own.k8s))),
    })
}

/// Experimental fields: istiod's features are environment variables.
fn experiments(experimental: &Experimental) -> Value {
    let PilotFeatures { enable_alpha_gateway_api: alpha, enable_multi_network_discover_gateway_api: networks, .. } =
        experimental.pilot.clone().unwrap_or_default();
    let dual = (experimental.enable_dual_stack == Some(true)).then_some("true");
    let both = dual.map(|_| "RequireDualStack");
    let ambient = experimental.enable_ambient;
    json!({
        "components": {"ztunnel": {"enabled": ambient}},
        "meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_DUAL_STACK": dual}}},
        "values": {
            "profile": (ambient == Some(true)).then_some("ambient"),
            "pilot": {
                "ipFamilyPolicy": both,
                "env": {
                    "PILOT_ENABLE_ALPHA_GATEWAY_API": alpha.map(|on| on.to_string()),
                    "PILOT_MULTI_NETWORK_DISCOVER_GATEWAY_API": networks.map(|on| on.to_string()),
                    "ISTIO_DUAL_STACK": dual,
                },
            },
            "gateways": {
                "istio-ingressgateway": {"ipFamilyPolicy": both},
                "istio-egressgateway": {"ipFamilyPolicy": both},
            },
        },
    })
}

fn some<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}

/// Removes `null`s and objects without any other content. For Istio an empty object has a meaning:
/// a component that is named is enabled.
fn without_empty(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) => {
            let fields: Map<_, _> =
                fields.into_iter().filter_map(|(name, value)| Some((name, without_empty(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(items) => Some(items.into_iter().filter_map(without_empty).collect()),
        other => Some(other),
    }
}
