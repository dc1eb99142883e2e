//! The objects that an API is published with.

use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::Spec;

pub(crate) fn virtual_service_kind() -> Kind {
    Kind::new("networking.istio.io/v1", "VirtualService")
}

pub(crate) fn service_monitor_kind() -> Kind {
    Kind::new("monitoring.coreos.com/v1", "ServiceMonitor")
}

pub(crate) fn virtual_service(
    spec: &Spec,
    namespace: &str,
    name: &str,
    hostname: Option<&str>,
    gateway: &str,
) -> Value {
    let content = json!({"spec": {
        "hosts": [hostname.unwrap_or("*")],
        "gateways": [gateway],
        "http": [{
            "match": matches(&spec.path),
            "route": [{"destination": {"host": spec.implementation, "port": {"number": spec.port}}}],
        }],
    }});
    object(&virtual_service_kind(), Some(namespace), name, content)
}

pub(crate) fn service_monitor(spec: &Spec, namespace: &str, name: &str) -> Value {
    let content = json!({"spec": {
        "selector": {"matchLabels": {"name": spec.implementation}},
        "endpoints": [{"path": spec.path, "interval": "15s", "scheme": "http", "targetPort": spec.port}],
    }});
    object(&service_monitor_kind(), Some(namespace), name, content)
}

/// The path itself and what is below it. A mere prefix `/a` would take `/ab` too, which is another API's.
fn matches(path: &str) -> Value {
    match path.trim_end_matches('/') {
        "" => json!([{"uri": {"prefix": "/"}}]),
        path => json!([{"uri": {"exact": path}}, {"uri": {"prefix": format!("{path}/")}}]),
    }
}
