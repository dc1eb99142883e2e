//! The name of an `ApplicationConfiguration` and its components.

use mizzen_oam_api::APP;
use mizzen_sdk::names::is_label;
use serde::Deserialize;
use serde_json::Value;

use crate::access::DEFAULT;

/// Why an application is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {why}")]
pub(crate) struct Invalid {
    field: String,
    why: String,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    component_name: String,
}

/// Checks the name of an application. It is the value of the label that selects its pods, and the
/// name of their account, which must not be the default account of the namespace.
pub(crate) fn application(name: &str) -> Result<&str, Invalid> {
    let invalid = |why: String| Err(Invalid { field: "metadata.name".to_owned(), why });
    if !is_name(name) {
        return invalid(format!("{name:?} is not a valid value of the label `{APP}`: write at most 63 characters"));
    }
    if name == DEFAULT {
        return invalid(format!(
            "ServiceAccount `{DEFAULT}` is the default of the whole namespace: choose another name"
        ));
    }
    Ok(name)
}

/// The names of the components, without duplicates.
pub(crate) fn components(spec: &Value) -> Result<Vec<String>, Invalid> {
    let spec: Spec = serde_path_to_error::deserialize(spec)
        .map_err(|error| Invalid { field: format!("spec.{}", error.path()), why: error.inner().to_string() })?;
    let mut names = Vec::new();
    for (at, Component { component_name }) in spec.components.into_iter().enumerate() {
        // It selects pods, and is part of the ServiceMonitor's name.
        if !is_name(&component_name) {
            let field = format!("spec.components[{at}].componentName");
            let why =
                format!("{component_name:?} is not a valid name of a component: write one such as `cart` or `cart.v1`");
            return Err(Invalid { field, why });
        }
        if !names.contains(&component_name) {
            names.push(component_name);
        }
    }
    Ok(names)
}

/// Whether this is a valid value of a label and part of an object's name.
fn is_name(text: &str) -> bool {
    text.len() <= 63 && text.split('.').all(is_label)
}
