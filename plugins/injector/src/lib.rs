//! Excludes namespaces from sidecar injection by their labels, whichever party installed Istio.
//!
//! Behaviour: Kyma's older reconciler patched the injector's webhooks so that they ignore
//! namespaces with certain labels. It did so in the webhooks' `namespaceSelector`, which has one
//! owner as a whole: the party that installed Istio. Two parties that apply it overwrite each other
//! forever, and a patch here never takes a field from its owner. So, for an Istio of
//! `installation`, its configuration (`injectorExpressions`) is the place for that selector. For
//! any other Istio this reconciler adds its own match condition to each webhook, and touches no
//! other field, not even istiod's `caBundle` and `failurePolicy`.
//!
//! A match condition sees only a namespace's name, not its labels. So the condition lists names,
//! and is written again when they change: a namespace that is new, or has a new label, is excluded
//! some milliseconds later.

use std::collections::BTreeSet;

use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Patch, Query, Reconciler, Request, cluster};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Injector;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Label selectors, as in `kubectl -l`; namespaces that match any of them have no sidecars.
    #[schemars(length(min = 1))]
    pub exclude_namespaces: Vec<String>,
    /// Label selector of the injecting `MutatingWebhookConfiguration`s. Istio sets this label, also
    /// for revisions and tags.
    #[serde(default = "sidecar_injector")]
    #[schemars(length(min = 1))]
    pub webhooks: String,
}

const NAMES: &str = "names";
const CONDITIONS: &str = "conditions";
/// The name of this reconciler's match condition.
const OURS: &str = "mizzen.dev/excluded-namespaces";
/// The expression while no namespace is excluded: it matches every request.
const EVERY_REQUEST: &str = "true";

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// The fields of a `MutatingWebhookConfiguration`.
#[derive(Deserialize)]
struct Injecting {
    metadata: Metadata,
    #[serde(default)]
    webhooks: Vec<Webhook>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    name: String,
    #[serde(default)]
    match_conditions: Vec<MatchCondition>,
}

#[derive(Deserialize)]
struct MatchCondition {
    name: String,
    expression: String,
}

fn namespace() -> Kind {
    Kind::new("v1", "Namespace")
}

fn webhooks() -> Kind {
    Kind::new("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
}

impl Reconciler for Injector {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Excludes namespaces from sidecar injection by their labels";
        let conditions = ["webhooks[*].name", "webhooks[*].matchConditions"];
        Description::new("injector", env!("CARGO_PKG_VERSION"), summary, Kind::new("mizzen.dev/v1alpha1", "Istio"))
            .reads_fields(NAMES, namespace(), &[], "which namespaces are excluded")
            .reads_fields(CONDITIONS, webhooks(), &conditions, "whether the injector excludes them")
            .patches(webhooks(), "adds the condition that excludes them")
            .finalizes()
    }

    fn reconcile(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let injecting = injecting(config)?;
        if injecting.is_empty() {
            return Ok(Outcome::progressing("no sidecar injector is installed yet"));
        }
        Ok(expect(&injecting, &expression(&excluded(config)?)))
    }

    fn finalize(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        // A patch can't remove a condition; this one excludes no namespace.
        let Outcome { patches, .. } = expect(&injecting(config)?, EVERY_REQUEST);
        Ok(patches.into_iter().fold(Outcome::ready(), Outcome::patch))
    }
}

mizzen_sdk::export!(Injector);

fn injecting(config: &Config) -> Result<Vec<Injecting>, Failure> {
    Ok(cluster::list(&Query::of(webhooks()).selector(&config.webhooks).fields(CONDITIONS))?)
}

/// The names of all excluded namespaces, unique and sorted, so that equal sets give equal
/// expressions.
fn excluded(config: &Config) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for selector in &config.exclude_namespaces {
        if selector.is_empty() {
            return Err(Failure::invalid("`excludeNamespaces` has an empty selector, which would exclude all of them"));
        }
        let found: Vec<Namespace> = cluster::list(&Query::of(namespace()).selector(selector).fields(NAMES))?;
        names.extend(found.into_iter().map(|namespace| namespace.metadata.name));
    }
    Ok(names)
}

/// The expression in CEL; names of namespaces need no escapes.
fn expression(excluded: &BTreeSet<String>) -> String {
    if excluded.is_empty() {
        return EVERY_REQUEST.into();
    }
    let names: Vec<_> = excluded.iter().map(|name| format!("'{name}'")).collect();
    format!("!(request.namespace in [{}])", names.join(", "))
}

/// Sets the condition of every webhook. A server-side apply must name all webhooks: the condition
/// of an omitted one would be removed.
fn expect(injecting: &[Injecting], expression: &str) -> Outcome {
    let lacking: Vec<_> =
        injecting.iter().filter(|one| !one.webhooks.iter().all(|own| own.has_condition(expression))).collect();
    if lacking.is_empty() {
        return Outcome::ready();
    }
    let patch = |one: &Injecting| {
        let condition = json!({"name": OURS, "expression": expression});
        let conditional = |webhook: &Webhook| json!({"name": webhook.name, "matchConditions": [condition]});
        let conditional: Vec<_> = one.webhooks.iter().map(conditional).collect();
        let object = ObjectRef::new(webhooks(), None, &one.metadata.name);
        Patch::new(object, json!({"webhooks": conditional}), "the excluded namespaces have changed")
    };
    let names: Vec<_> = lacking.iter().map(|one| &*one.metadata.name).collect();
    let outcome = Outcome::progressing(format!("{} does not exclude all of these namespaces yet", names.join(", ")));
    lacking.into_iter().map(patch).fold(outcome, Outcome::patch)
}

impl Webhook {
    fn has_condition(&self, expression: &str) -> bool {
        let unconditional = expression == EVERY_REQUEST && self.match_conditions.iter().all(|own| own.name != OURS);
        unconditional || self.match_conditions.iter().any(|own| own.name == OURS && own.expression == expression)
    }
}

fn sidecar_injector() -> String {
    "app=sidecar-injector".into()
}

#[cfg(test)]
mod tests;
