//! CORS: which pages of other origins may call an API, as Istio's policy.

use mizzen_oda_api::Cors;
use serde_json::{Value, json};
use thiserror::Error;

/// Why a CORS policy is invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum CorsError {
    /// Credentials for every origin.
    #[error(
        "`spec.CORS.allowCredentials` with `allowOrigins: *` gives every site its visitors' credentials: \
         name the origins"
    )]
    Credentials,
    /// An origin without a scheme.
    #[error("`spec.CORS.allowOrigins`: `{0}` has no scheme, e.g. `https://`")]
    Scheme(String),
    /// An origin with a path or without a host.
    #[error(
        "`spec.CORS.allowOrigins`: `{0}` is not a valid origin: write scheme, host and port, and nothing after them"
    )]
    Origin(String),
    /// A method.
    #[error("`spec.CORS…allowMethods`: `{0}` is not a valid HTTP method")]
    Method(String),
    /// The name of a header.
    #[error("`spec.CORS…allowHeaders`: `{0}` is not a valid header name")]
    Header(String),
}

/// A rendered policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Istio's `corsPolicy`.
    pub(crate) rendered: Value,
    /// Whether the gateway responds to preflight requests.
    pub(crate) responds_to_preflight: bool,
}

/// The policy of an API; `None` without one. An error names the invalid field.
pub(crate) fn policy(cors: Option<&Cors>) -> Result<Option<Policy>, CorsError> {
    let Some(cors) = cors.filter(|cors| cors.enabled) else { return Ok(None) };
    let origins = listed(cors.allow_origins.as_deref().unwrap_or_default());
    let origins = if origins.is_empty() { vec!["*"] } else { origins };
    // Envoy responds with the request's origin: any page could act with its visitor's credentials,
    // which browsers forbid for `*`.
    if cors.allow_credentials && origins.contains(&"*") {
        return Err(CorsError::Credentials);
    }
    let allowed = origins.into_iter().map(origin).collect::<Result<Vec<_>, _>>()?;
    let mut rendered = json!({"allowOrigins": allowed, "allowCredentials": cors.allow_credentials});
    let preflight = &cors.handle_preflight_requests;
    if preflight.enabled {
        rendered["allowMethods"] = methods(&preflight.allow_methods)?;
        rendered["allowHeaders"] = headers(&preflight.allow_headers)?;
        rendered["maxAge"] = json!(format!("{}s", preflight.max_age));
    }
    Ok(Some(Policy { rendered, responds_to_preflight: preflight.enabled }))
}

/// `https://a.example.com` matches exactly; in `https://*.example.com` the star matches any text of
/// a host name; `*` matches any origin.
fn origin(text: &str) -> Result<Value, CorsError> {
    if matches!(text, "*" | "null") {
        return Ok(json!({"exact": text}));
    }
    let host = text.split_once("://").ok_or_else(|| CorsError::Scheme(text.to_owned()))?.1;
    if host.is_empty() || host.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(CorsError::Origin(text.to_owned()));
    }
    if !text.contains('*') {
        return Ok(json!({"exact": text}));
    }
    let parts: Vec<_> = text.split('*').map(literal).collect();
    Ok(json!({"regex": parts.join("[A-Za-z0-9.-]+")}))
}

/// A regular expression (RE2) that matches only this text.
pub(crate) fn literal(text: &str) -> String {
    let mut expression = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}

fn methods(text: &str) -> Result<Value, CorsError> {
    let all = listed(text);
    match all.iter().find(|method| **method != "*" && !method.chars().all(|c| c.is_ascii_uppercase())) {
        Some(method) => Err(CorsError::Method((*method).to_owned())),
        None => Ok(json!(all)),
    }
}

fn headers(text: &str) -> Result<Value, CorsError> {
    let all = listed(text);
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_*".contains(c));
    match all.iter().find(|name| !is_name(name)) {
        Some(name) => Err(CorsError::Header((*name).to_owned())),
        None => Ok(json!(all)),
    }
}

fn listed(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}
