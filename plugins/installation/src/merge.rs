//! The desired configuration as Istio's own `IstioOperator` document: layers, each of which
//! overrides those before it.
//!
//! ```text
//!   defaults < size of the cluster < configuration's `overlay` < custom resource < provider
//! ```
//!
//! Behaviour: Kyma, where the cluster's size determines defaults, which users can override. What
//! the provider needs overrides everything: Istio would not run there without it.

mod cr;
mod defaults;
mod provider;
mod size;
#[cfg(test)]
mod tests;

use mizzen_istio_api::{Spec, Version};
use serde_json::{Value, json};

use crate::config::Config;
use crate::environment::{Provider, Size};

/// All inputs of an installation.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) config: &'a Config,
    pub(crate) spec: &'a Spec,
    pub(crate) version: Version,
    pub(crate) size: Size,
    pub(crate) provider: Provider,
}

/// Merges the inputs into an `IstioOperator` document.
pub(crate) fn istio_operator(inputs: &Inputs<'_>) -> Value {
    let Inputs { config, spec, version, size, provider } = inputs;
    let mut merged = json!({});
    overlay(&mut merged, defaults::layer(config));
    overlay(&mut merged, size::layer(*size));
    overlay(&mut merged, Value::Object(config.overlay.clone()));
    overlay(&mut merged, cr::layer(spec, *version));
    overlay(&mut merged, provider::layer(*provider));
    json!({
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"namespace": config.namespace},
        "spec": merged,
    })
}

/// Merges a document into another: objects by their fields, lists of named objects by their names,
/// everything else as a whole. `null` changes nothing.
fn overlay(under: &mut Value, over: Value) {
    match (under, over) {
        (_, Value::Null) => {}
        (Value::Object(under), Value::Object(over)) => {
            for (field, value) in over.into_iter().filter(|(_, value)| !value.is_null()) {
                let nothing = if value.is_object() { json!({}) } else { Value::Null };
                overlay(under.entry(field).or_insert(nothing), value);
            }
        }
        (Value::Array(under), Value::Array(over)) if under.iter().chain(&over).all(|item| item["name"].is_string()) => {
            for item in over {
                match under.iter_mut().find(|own| own["name"] == item["name"]) {
                    Some(own) => overlay(own, item),
                    None => under.push(item),
                }
            }
        }
        (under, over) => *under = over,
    }
}
