//! Who may call an API from pages of other origins, in Istio's words.

use mizzen_oda_api::Cors;
use serde_json::{Value, json};

/// A policy, rendered.
#[derive(Debug)]
pub(crate) struct Policy {
    /// Istio's `corsPolicy`.
    pub(crate) rendered: Value,
    /// Whether preflight requests are answered by the gateway.
    pub(crate) answers_preflight: bool,
}

/// The policy that an API asks for; `None`: none. An error says what is wrong, with its field.
pub(crate) fn policy(cors: Option<&Cors>) -> Result<Option<Policy>, String> {
    let Some(cors) = cors.filter(|cors| cors.enabled) else { return Ok(None) };
    let origins = listed(cors.allow_origins.as_deref().unwrap_or_default());
    let origins = if origins.is_empty() { vec!["*"] } else { origins };
    // Envoy answers with the origin that asks: any page would act with its visitor's credentials, which browsers forbid for `*`.
    if cors.allow_credentials && origins.contains(&"*") {
        let why = "`spec.CORS.allowCredentials` with `allowOrigins: *` gives every site its visitors' credentials: name the origins";
        return Err(why.to_owned());
    }
    let allowed = origins.into_iter().map(origin).collect::<Result<Vec<_>, _>>()?;
    let mut rendered = json!({"allowOrigins": allowed, "allowCredentials": cors.allow_credentials});
    let preflight = &cors.handle_preflight_requests;
    if preflight.enabled {
        rendered["allowMethods"] = methods(&preflight.allow_methods)?;
        rendered["allowHeaders"] = headers(&preflight.allow_headers)?;
        rendered["maxAge"] = json!(format!("{}s", preflight.max_age));
    }
    Ok(Some(Policy { rendered, answers_preflight: preflight.enabled }))
}

/// `https://a.example.com` is itself; in `https://*.example.com` the star is any text of a host name; `*` is any origin.
fn origin(text: &str) -> Result<Value, String> {
    let wrong = |why: &str| format!("`spec.CORS.allowOrigins`: `{text}` {why}");
    if matches!(text, "*" | "null") {
        return Ok(json!({"exact": text}));
    }
    let host = text.split_once("://").ok_or_else(|| wrong("has no scheme, e.g. `https://`"))?.1;
    if host.is_empty() || host.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(wrong("is no origin: scheme, host and port, and nothing after them"));
    }
    if !text.contains('*') {
        return Ok(json!({"exact": text}));
    }
    let parts: Vec<_> = text.split('*').map(literal).collect();
    Ok(json!({"regex": parts.join("[A-Za-z0-9.-]+")}))
}

/// A regular expression (RE2) that takes this text alone.
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

fn methods(text: &str) -> Result<Value, String> {
    let all = listed(text);
    match all.iter().find(|method| **method != "*" && !method.chars().all(|c| c.is_ascii_uppercase())) {
        Some(wrong) => Err(format!("`spec.CORS…allowMethods`: `{wrong}` is no method of HTTP")),
        None => Ok(json!(all)),
    }
}

fn headers(text: &str) -> Result<Value, String> {
    let all = listed(text);
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_*".contains(c));
    match all.iter().find(|name| !is_name(name)) {
        Some(wrong) => Err(format!("`spec.CORS…allowHeaders`: `{wrong}` is no header's name")),
        None => Ok(json!(all)),
    }
}

fn listed(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
}
