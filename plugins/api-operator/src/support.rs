//! What an API asks for that nobody does: named in a condition, so that no author takes a policy for enforced that is not.

use mizzen_oda_api::ApiType;
use mizzen_sdk::Condition;

use crate::api::Api;
use crate::{OpenMetrics, rate_limit};

/// The condition that names what is not enforced.
pub(crate) const SUPPORTED: &str = "Supported";

/// What is asked for and will be done once something else is there.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// `CamelCase`, for machines.
    pub(crate) reason: &'static str,
    /// What waits, and for what.
    pub(crate) message: String,
}

/// What is asked for in vain, and what waits: all of it is named, and the gravest gives the reason.
pub(crate) fn condition(api: &Api, waits: Vec<Waiting>) -> Condition {
    let missing = unsupported(api);
    let missing = (!missing.is_empty()).then(|| ("Unsupported", format!("not enforced: {}", missing.join("; "))));
    let waits = waits.into_iter().map(|Waiting { reason, message }| (reason, message));
    let (reasons, messages): (Vec<_>, Vec<_>) = unknown_type(api).into_iter().chain(missing).chain(waits).unzip();
    match reasons.first() {
        Some(reason) => told(false, reason, messages.join("; ")),
        None => told(true, "Supported", "all that the API asks for is done".to_owned()),
    }
}

/// Nothing new is published for a field that is wrong.
pub(crate) fn refused(why: &str) -> Condition {
    told(false, "Invalid", format!("nothing of the API's last change is published: {why}"))
}

fn told(is: bool, reason: &str, message: String) -> Condition {
    Condition { kind: SUPPORTED.to_owned(), status: Some(is), reason: reason.to_owned(), message }
}

fn unknown_type(api: &Api) -> Option<(&'static str, String)> {
    let ApiType::Unknown(name) = &api.spec.api_type else { return None };
    let known = "openapi, prometheus, openmetrics or mcp";
    Some(("UnknownApiType", format!("`spec.apiType` is `{name}`, not {known}: it is published and nothing more")))
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
