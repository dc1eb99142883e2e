//! What an API asks for that nobody does: named in a condition, so that no author takes a policy for enforced that is not.

use mizzen_oda_api::ApiType;
use mizzen_sdk::Condition;

use crate::api::Api;
use crate::{OpenMetrics, rate_limit};

/// The condition that names what is not enforced.
pub(crate) const SUPPORTED: &str = "Supported";

/// What is asked for in vain; `waits`: why a limit is not kept yet.
pub(crate) fn condition(api: &Api, waits: Option<String>) -> Condition {
    let missing = unsupported(api);
    let (reason, message) = match (&api.spec.api_type, missing.is_empty(), waits) {
        (ApiType::Unknown(name), ..) => ("UnknownApiType", unknown(name, &missing)),
        (_, false, _) => ("Unsupported", format!("not enforced: {}", missing.join("; "))),
        (_, true, Some(waits)) => ("RateLimitPending", waits),
        (_, true, None) => ("Supported", "all that the API asks for is done".to_owned()),
    };
    Condition { kind: SUPPORTED.to_owned(), status: Some(reason == "Supported"), reason: reason.to_owned(), message }
}

fn unknown(name: &str, missing: &[&str]) -> String {
    let policies = if missing.is_empty() { String::new() } else { format!("; not enforced: {}", missing.join("; ")) };
    format!(
        "`spec.apiType` is `{name}`, not openapi, prometheus, openmetrics or mcp: it is published and nothing more{policies}"
    )
}

fn unsupported(api: &Api) -> Vec<&'static str> {
    let spec = api.spec;
    let (auth, is_metrics) = (spec.basic_auth.is_some(), spec.api_type.is_metrics());
    let by_annotations = api.config.open_metrics == OpenMetrics::Annotations;
    let verification = spec.api_key_verification.as_ref().is_some_and(|own| own.enabled);
    let by_caller = spec.rate_limit.as_ref().is_some_and(rate_limit::is_by_caller);
    let quota = spec.quota.as_ref().is_some_and(mizzen_oda_api::Quota::is_asked_for);
    let (requests, responses) =
        spec.oas_validation.as_ref().map_or((false, false), |own| (own.request_enabled, own.response_enabled));
    let template = spec.template.as_ref().is_some_and(|name| !name.is_empty());
    [
        (verification, "apiKeyVerification"),
        (by_caller, "rateLimit.identifier (a sidecar keeps one limit for all callers; without it the limit is kept)"),
        (quota, "quota"),
        (requests, "OASValidation.requestEnabled"),
        (responses, "OASValidation.responseEnabled"),
        (template, "template"),
        (auth && !is_metrics, "basicAuth (it is how metrics are scraped, and lets everybody in elsewhere)"),
        (
            auth && is_metrics && by_annotations,
            "basicAuth (no annotation of Pods names a Secret: whoever scrapes has to know it)",
        ),
    ]
    .into_iter()
    .filter_map(|(asked, name)| asked.then_some(name))
    .collect()
}
