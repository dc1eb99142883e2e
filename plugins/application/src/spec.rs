//! An application's components: all that is looked at of an `ApplicationConfiguration`.

use serde::Deserialize;
use serde_json::Value;

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

/// The names of the components, each once.
pub(crate) fn components(spec: &Value) -> Result<Vec<String>, Invalid> {
    let spec: Spec = serde_path_to_error::deserialize(spec)
        .map_err(|error| Invalid { field: format!("spec.{}", error.path()), why: error.inner().to_string() })?;
    let mut names = Vec::new();
    for (at, Component { component_name }) in spec.components.into_iter().enumerate() {
        // It is the value of a label.
        let is_end = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric());
        let plain = component_name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if component_name.len() > 63
            || !plain
            || !is_end(component_name.chars().next())
            || !is_end(component_name.chars().last())
        {
            let field = format!("spec.components[{at}].componentName");
            return Err(Invalid { field, why: format!("{component_name:?} is no name of a component") });
        }
        if !names.contains(&component_name) {
            names.push(component_name);
        }
    }
    Ok(names)
}
