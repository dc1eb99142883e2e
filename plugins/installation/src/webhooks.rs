//! Istio's webhooks: fields that istiod writes are left to it.
//!
//! istiod sets every `caBundle`, and changes a validating webhook's `failurePolicy` from `Ignore`
//! to `Fail` as soon as it serves requests. Until then the webhook must not block writes, so
//! `Ignore` is applied; afterwards the field is omitted: it belongs to istiod, and `Fail` is the
//! API server's default.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, cluster};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Config;

const VALIDATING: &str = "validating-webhooks";
const MUTATING: &str = "mutating-webhooks";

/// The name of the sidecar injector's configuration, or its prefix if there are revisions.
const INJECTOR: &str = "istio-sidecar-injector";

#[derive(Debug, Deserialize)]
struct Validating {
    #[serde(default)]
    webhooks: Vec<Webhook>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    name: String,
    failure_policy: Option<String>,
}

pub(crate) fn validating() -> Kind {
    Kind::new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
}

pub(crate) fn mutating() -> Kind {
    Kind::new("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
}

pub(crate) fn declare(description: Description) -> Description {
    let policy = ["webhooks[*].name", "webhooks[*].failurePolicy"];
    description
        .reads_fields(VALIDATING, validating(), &policy, "the failure policy that istiod has set stays")
        .reads_fields(MUTATING, mutating(), &[], "whether sidecars are still injected while Istio is removed")
}

/// Removes fields that istiod sets from a webhook configuration; other objects stay as they are.
pub(crate) fn yield_to_istiod(document: &mut Value, config: &Config) -> Result<(), AccessError> {
    let policies = match document["kind"].as_str() {
        Some("ValidatingWebhookConfiguration") => Some(policies(document["metadata"]["name"].as_str())?),
        Some("MutatingWebhookConfiguration") => None,
        _ => return Ok(()),
    };
    let injects = document["metadata"]["name"].as_str().is_some_and(|name| name.starts_with(INJECTOR));
    for webhook in document["webhooks"].as_array_mut().into_iter().flatten() {
        if let Some(client) = webhook["clientConfig"].as_object_mut() {
            client.remove("caBundle");
        }
        if let Some(policies) = &policies {
            let now = webhook["name"].as_str().and_then(|name| policies.get(name));
            match webhook.as_object_mut() {
                Some(fields) if now.is_some_and(|now| now == "Fail") => drop(fields.remove("failurePolicy")),
                _ => webhook["failurePolicy"] = json!("Ignore"),
            }
        } else if injects && !config.injector_expressions.is_empty() {
            narrow(webhook, &config.injector_expressions);
        }
    }
    Ok(())
}

/// The live failure policies of a configuration, by webhook.
fn policies(name: Option<&str>) -> Result<BTreeMap<String, String>, AccessError> {
    let object = ObjectRef::new(validating(), None, name.unwrap_or_default());
    let there: Option<Validating> = cluster::get(&object, Some(VALIDATING))?;
    let webhooks = there.into_iter().flat_map(|there| there.webhooks);
    Ok(webhooks.filter_map(|webhook| Some((webhook.name, webhook.failure_policy?))).collect())
}

/// Restricts a webhook to namespaces that also match these expressions.
fn narrow(webhook: &mut Value, expressions: &[Value]) {
    let selector = &mut webhook["namespaceSelector"];
    if !selector.is_object() {
        *selector = json!({});
    }
    match selector["matchExpressions"].as_array_mut() {
        Some(own) => own.extend_from_slice(expressions),
        None => selector["matchExpressions"] = json!(expressions),
    }
}

/// Whether a sidecar injector is installed.
pub(crate) fn injector_is_there() -> Result<bool, AccessError> {
    let injector = ObjectRef::new(mutating(), None, INJECTOR);
    Ok(cluster::get::<Value>(&injector, Some(MUTATING))?.is_some())
}
