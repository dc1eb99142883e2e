//! Dashboards, each in its own `ConfigMap`.

use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::Dashboards;

/// The dashboard of istiod, from its own metrics.
const CONTROL_PLANE: &str = include_str!("control-plane.json");

pub(crate) fn config_map() -> Kind {
    Kind::new("v1", "ConfigMap")
}

/// The dashboards that the configuration enables.
pub(crate) fn wanted(config: &Dashboards, own: &str) -> Option<Value> {
    let namespace = config.namespace.as_deref().unwrap_or(own);
    let content = json!({
        "metadata": {"labels": config.labels},
        "data": {"istio-control-plane.json": CONTROL_PLANE},
    });
    config.enabled.then(|| object(&config_map(), Some(namespace), "istio-control-plane-dashboard", content))
}
