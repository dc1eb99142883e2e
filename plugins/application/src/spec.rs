//! An application's name and its components: all that is looked at of an `ApplicationConfiguration`.

use mizzen_oam_api::APP;
use mizzen_sdk::names::is_label;
use serde::Deserialize;
use serde_json::Value;

use crate::access::DEFAULT;

/// What is wrong with an application.
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

/// Takes the name of an application. Its pods are selected by it, so it is the value of a label; and it is that of the account made for
/// them, which must not be the one that everybody in the namespace has.
pub(crate) fn application(name: &str) -> Result<&str, Invalid> {
    let invalid = |why: String| Err(Invalid { field: "metadata.name".to_owned(), why });
    if !is_name(name) {
        return invalid(format!("{name:?} is no value of the label `{APP}`: write 63 characters at the most"));
    }
    if name == DEFAULT {
        return invalid(format!("ServiceAccount `{DEFAULT}` is everybody's in the namespace: give another name"));
    }
    Ok(name)
}

/// The names of the components, each once.
pub(crate) fn components(spec: &Value) -> Result<Vec<String>, Invalid> {
    let spec: Spec = serde_path_to_error::deserialize(spec)
        .map_err(|error| Invalid { field: format!("spec.{}", error.path()), why: error.inner().to_string() })?;
    let mut names = Vec::new();
    for (at, Component { component_name }) in spec.components.into_iter().enumerate() {
        // Pods are selected by it, and its ServiceMonitor is named after it.
        if !is_name(&component_name) {
            let field = format!("spec.components[{at}].componentName");
            let why = format!("{component_name:?} is no name of a component: write one such as `cart` or `cart.v1`");
            return Err(Invalid { field, why });
        }
        if !names.contains(&component_name) {
            names.push(component_name);
        }
    }
    Ok(names)
}

/// Whether this is the value of a label, and may stand in the name of an object.
fn is_name(text: &str) -> bool {
    text.len() <= 63 && text.split('.').all(is_label)
}
