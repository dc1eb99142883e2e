//! How often an API may be called: a limit that the implementation's own sidecars keep.
//!
//! An `EnvoyFilter` acts within its own namespace. On the gateway it would have to stand in the gateway's: every API's author would write,
//! through us, to the proxy that all traffic passes, with rights and a finalizer for it. On the implementation's sidecars it stands beside
//! the API, goes with it, holds for callers within the mesh too, and is the only configuration of Envoy that it can spoil its own. The price:
//! each Pod counts for itself, and a Pod without a sidecar counts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use mizzen_oda_api::{Interval, RateLimit};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::api::Api;
use crate::cors::literal;

const LIMIT: &str = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// So many calls in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    calls: NonZeroU32,
    seconds: u32,
}

/// The Pods that keep a limit, and the ports that they listen at.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: BTreeSet<u16>,
}

pub(crate) fn kind() -> Kind {
    Kind::new("networking.istio.io/v1alpha3", "EnvoyFilter")
}

/// Whether an API asks for a limit for each of its callers, which a sidecar alone can't keep.
pub(crate) fn is_by_caller(rate: &RateLimit) -> bool {
    rate.enabled && rate.identifier.as_ref().is_some_and(|identifier| !identifier.is_empty())
}

/// The limit that an API asks for and that can be kept; `None`: none. An error says what is wrong, with its field.
pub(crate) fn limit(rate: Option<&RateLimit>) -> Result<Option<Limit>, String> {
    let Some(rate) = rate.filter(|rate| rate.enabled && !is_by_caller(rate)) else { return Ok(None) };
    let text = rate.limit.as_deref().unwrap_or_default().trim();
    let wrong = |_| format!("`spec.rateLimit.limit` must be a whole number above 0, as a text: {text:?}");
    let calls = text.parse().map_err(wrong)?;
    let seconds = match &rate.interval {
        Interval::Second => 1,
        Interval::Minute => 60,
        Interval::Unknown(text) => return Err(format!("`spec.rateLimit.interval` is `{text}`, not ps or pm")),
    };
    Ok(Some(Limit { calls, seconds }))
}

/// The limit of an API, at its workload.
pub(crate) fn envoy_filter(api: &Api, limit: Limit, workload: &Workload) -> Value {
    let patches: Vec<_> = workload.ports.iter().map(|port| patch(api, limit, *port)).collect();
    let content = json!({"spec": {"workloadSelector": {"labels": workload.labels}, "configPatches": patches}});
    object(&kind(), Some(api.namespace), api.name(), content)
}

/// The limit at one port: a sidecar that does not listen there passes it over.
fn patch(api: &Api, limit: Limit, port: u16) -> Value {
    let filter = "envoy.filters.http.local_ratelimit";
    json!({
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "SIDECAR_INBOUND",
            "listener": {
                "portNumber": port,
                "filterChain": {"filter": {"name": CONNECTION_MANAGER, "subFilter": {"name": "envoy.filters.http.router"}}},
            },
        },
        // A name of its own: the filters of two APIs of one workload stand beside each other.
        "patch": {
            "operation": "INSERT_BEFORE",
            "value": {"name": format!("{filter}.{}", api.name()), "typed_config": settings(api, limit)},
        },
    })
}

fn settings(api: &Api, limit: Limit) -> Value {
    let always = |key: &str| json!({"runtime_key": key, "default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    let bucket = bucket(limit.calls.get(), limit.seconds);
    let mut settings = json!({
        "@type": LIMIT,
        "stat_prefix": "http_local_rate_limiter",
        "filter_enabled": always("local_rate_limit_enabled"),
        "filter_enforced": always("local_rate_limit_enforced"),
        "token_bucket": bucket,
    });
    if !api.path().is_root() {
        // Only what the API's route takes counts: health checks and other APIs of the workload pass by. The bucket of the rest is
        // one that nobody empties.
        let path = format!("{}([/?].*)?", literal(api.path().as_str()));
        settings["rate_limits"] = json!([{"actions": [{"header_value_match": {
            "descriptor_value": api.name(),
            "headers": [{"name": ":path", "string_match": {"safe_regex": {"regex": path}}}],
        }}]}]);
        settings["descriptors"] =
            json!([{"entries": [{"key": "header_match", "value": api.name()}], "token_bucket": bucket}]);
        settings["token_bucket"] = self::bucket(u32::MAX, limit.seconds);
    }
    settings
}

fn bucket(calls: u32, seconds: u32) -> Value {
    json!({"max_tokens": calls, "tokens_per_fill": calls, "fill_interval": format!("{seconds}s")})
}
