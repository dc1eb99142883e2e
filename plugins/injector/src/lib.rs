//! Keeps namespaces out of sidecar injection by their labels, whoever installed Istio.
//!
//! Behaviour: Kyma's older reconciler patched the injector's webhook so that it leaves alone namespaces with certain labels. It did so in
//! the webhooks' `namespaceSelector`, which has one owner as a whole: whoever installed Istio. Two that apply it fight for ever, and a
//! patch here never takes a field from its owner. So, for an Istio that `installation` installs, its own configuration
//! (`injectorExpressions`) is the place for that selector. For any other there is this: to each webhook it adds one match condition of its
//! own, and nobody else's field is touched; istiod's `caBundle` and `failurePolicy` neither.
//!
//! A match condition does not see a namespace's labels, only its name. So the names are written down, and again when they change: a
//! namespace that is new, or new to its label, is left alone from the moment that this was seen, some milliseconds later.

use std::collections::BTreeSet;

use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Patch, Query, Reconciler, Request, cluster};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// The reconciler.
#[derive(Debug)]
pub struct Injector;

/// Who is left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Label selectors, as `kubectl -l` takes them; a namespace that any of them selects gets no sidecars.
    #[schemars(length(min = 1))]
    pub exclude_namespaces: Vec<String>,
    /// Label selector of the `MutatingWebhookConfiguration`s that inject. Istio's own label them so, also those of revisions and tags.
    #[serde(default = "sidecar_injector")]
    #[schemars(length(min = 1))]
    pub webhooks: String,
}

const NAMES: &str = "names";
const CONDITIONS: &str = "conditions";
/// Our match condition among a webhook's.
const OURS: &str = "mizzen.dev/excluded-namespaces";
/// What it says when nobody is excluded: every request matches.
const NOBODY: &str = "true";

#[derive(Deserialize)]
struct Namespace {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// A `MutatingWebhookConfiguration`, as far as it is looked at.
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
        let summary = "Keeps namespaces out of sidecar injection by their labels";
        let conditions = ["webhooks[*].name", "webhooks[*].matchConditions"];
        Description::new("injector", env!("CARGO_PKG_VERSION"), summary, Kind::new("mizzen.dev/v1alpha1", "Istio"))
            .reads_fields(NAMES, namespace(), &[], "to tell which are excluded")
            .reads_fields(CONDITIONS, webhooks(), &conditions, "to tell whether the injector knows them")
            .patches(webhooks(), "adds the condition that excludes them")
            .finalizes()
    }

    fn reconcile(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let injecting = injecting(config)?;
        if injecting.is_empty() {
            return Ok(Outcome::progressing("there is no sidecar injector yet"));
        }
        Ok(expect(&injecting, &expression(&excluded(config)?)))
    }

    fn finalize(Request { config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        // A condition can't be taken back by a patch; this one keeps nobody out.
        let Outcome { patches, .. } = expect(&injecting(config)?, NOBODY);
        Ok(patches.into_iter().fold(Outcome::ready(), Outcome::patch))
    }
}

mizzen_sdk::export!(Injector);

fn injecting(config: &Config) -> Result<Vec<Injecting>, Failure> {
    Ok(cluster::list(&Query::of(webhooks()).selector(&config.webhooks).fields(CONDITIONS))?)
}

/// The names of all excluded namespaces, each once and in order, so that the same ones make the same expression.
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

/// In the Common Expression Language; namespaces' names need no escapes.
fn expression(excluded: &BTreeSet<String>) -> String {
    if excluded.is_empty() {
        return NOBODY.into();
    }
    let names: Vec<_> = excluded.iter().map(|name| format!("'{name}'")).collect();
    format!("!(request.namespace in [{}])", names.join(", "))
}

/// Has every webhook say this. An apply names all webhooks at once: those that it left out would lose the condition.
fn expect(injecting: &[Injecting], expression: &str) -> Outcome {
    let lacking: Vec<_> = injecting.iter().filter(|one| !one.webhooks.iter().all(|own| own.says(expression))).collect();
    if lacking.is_empty() {
        return Outcome::ready();
    }
    let patch = |one: &Injecting| {
        let say = |webhook: &Webhook| json!({"name": webhook.name, "matchConditions": [{"name": OURS, "expression": expression}]});
        let webhooks_say: Vec<_> = one.webhooks.iter().map(say).collect();
        let object = ObjectRef::new(webhooks(), None, &one.metadata.name);
        Patch::new(object, json!({"webhooks": webhooks_say}), "the excluded namespaces are others than it knows")
    };
    let names: Vec<_> = lacking.iter().map(|one| &*one.metadata.name).collect();
    let outcome = Outcome::progressing(format!("{} does not know all excluded namespaces yet", names.join(", ")));
    lacking.into_iter().map(patch).fold(outcome, Outcome::patch)
}

impl Webhook {
    fn says(&self, expression: &str) -> bool {
        let nobody = expression == NOBODY && self.match_conditions.iter().all(|own| own.name != OURS);
        nobody || self.match_conditions.iter().any(|own| own.name == OURS && own.expression == expression)
    }
}

fn sidecar_injector() -> String {
    "app=sidecar-injector".into()
}

#[cfg(test)]
mod tests;
