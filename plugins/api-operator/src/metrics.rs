//! An API that is metrics is scraped: a ServiceMonitor of its name.

use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::OpenMetrics;
use crate::api::Api;

pub(crate) fn kind() -> Kind {
    Kind::new("monitoring.coreos.com/v1", "ServiceMonitor")
}

/// What has an API scraped; `None` where nobody is to, or by other means.
pub(crate) fn service_monitor(api: &Api) -> Option<Value> {
    if !api.spec.api_type.is_metrics() || api.config.open_metrics != OpenMetrics::ServiceMonitor {
        return None;
    }
    let mut endpoint =
        json!({"path": api.path().as_str(), "interval": "15s", "scheme": "http", "targetPort": api.port()});
    if let Some(reference) = &api.spec.basic_auth {
        // Names of Secrets and their keys: Prometheus follows them, we never do.
        endpoint["basicAuth"] = json!(reference);
    }
    let content = json!({"spec": {"selector": {"matchLabels": {"name": api.service()}}, "endpoints": [endpoint]}});
    Some(object(&kind(), Some(api.namespace), api.name(), content))
}
