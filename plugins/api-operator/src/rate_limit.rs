//! Rate limits, enforced by the implementation's own sidecars.
//!
//! An `EnvoyFilter` applies to its own namespace. On the gateway it would have to be in the
//! gateway's namespace: every API's author could change, through this plugin, the proxy of all
//! traffic, with rights and a finalizer for it. On the implementation's sidecars it is next to the
//! API, is deleted with it, also applies to callers within the mesh, and can break only the API's
//! own Envoy. The price: each Pod counts separately, and a Pod without a sidecar does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use mizzen_oda_api::{Interval, RateLimit};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};
use thiserror::Error;

use crate::api::Api;
use crate::cors::literal;

const LIMIT: &str = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
const CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// Why a rate limit is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum LimitError {
    /// The number of calls.
    #[error("`spec.rateLimit.limit` must be a whole number above 0, as a text: {0:?}")]
    Calls(String),
    /// The interval.
    #[error("`spec.rateLimit.interval` is `{0}`, not ps or pm")]
    Interval(String),
}

/// A number of calls in a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    calls: NonZeroU32,
    seconds: u32,
}

/// The Pods that enforce a limit, and the ports that they listen at.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) ports: BTreeSet<u16>,
}

pub(crate) fn kind() -> Kind {
    Kind::new("networking.istio.io/v1alpha3", "EnvoyFilter")
}

/// Whether an API wants a limit for each of its callers, which a sidecar alone can't enforce.
pub(crate) fn is_by_caller(rate: &RateLimit) -> bool {
    rate.enabled && rate.identifier.as_ref().is_some_and(|identifier| !identifier.is_empty())
}

/// The enforceable limit of an API; `None` without one. An error names the invalid field.
pub(crate) fn limit(rate: Option<&RateLimit>) -> Result<Option<Limit>, LimitError> {
    let Some(rate) = rate.filter(|rate| rate.enabled && !is_by_caller(rate)) else { return Ok(None) };
    let text = rate.limit.as_deref().unwrap_or_default().trim();
    let calls = text.parse().map_err(|_| LimitError::Calls(text.to_owned()))?;
    let seconds = match &rate.interval {
        Interval::Second => 1,
        Interval::Minute => 60,
        Interval::Unknown(text) => return Err(LimitError::Interval(text.clone())),
    };
    Ok(Some(Limit { calls, seconds }))
}

/// The limit of an API, for its workload.
pub(crate) fn envoy_filter(api: &Api, limit: Limit, workload: &Workload) -> Value {
    let patches: Vec<_> = workload.ports.iter().map(|port| patch(api, limit, *port)).collect();
    let content = json!({"spec": {"workloadSelector": {"labels": workload.labels}, "configPatches": patches}});
    object(&kind(), Some(api.namespace), api.name(), content)
}

/// The limit at one port: ignored by a sidecar that does not listen there.
fn patch(api: &Api, limit: Limit, port: u16) -> Value {
    let filter = "envoy.filters.http.local_ratelimit";
    json!({
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "SIDECAR_INBOUND",
            "listener": {
                "portNumber": port,
                "filterChain": {"filter": {"name": CONNECTION_MANAGER,
                    "subFilter": {"name": "envoy.filters.http.router"}}},
            },
        },
        // A unique name: one workload can have the filters of two APIs.
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
        // Only requests that match the API's route count: health checks and other APIs of the
        // workload do not. The bucket for the others is never empty.
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
