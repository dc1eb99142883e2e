//! Metrics: a ServiceMonitor for an API that serves them.

use mizzen_sdk::{Kind, cluster, object};
use serde_json::{Value, json};

use crate::OpenMetrics;
use crate::api::Api;
use crate::support::Waiting;

pub(crate) fn kind() -> Kind {
    Kind::new("monitoring.coreos.com/v1", "ServiceMonitor")
}

/// The ServiceMonitor of an API; `None` if it has no metrics, or they are found by other means. It
/// waits for the Prometheus operator: an outcome with an object of a kind that is not served is
/// refused as a whole, including the API's route.
pub(crate) fn service_monitor(api: &Api) -> Result<Option<Value>, Waiting> {
    if !api.spec.api_type.is_metrics() || api.config.open_metrics != OpenMetrics::ServiceMonitor {
        return Ok(None);
    }
    if !cluster::serves(&kind()) {
        let message = "the ServiceMonitor awaits the Prometheus operator: the API server does not \
            serve that kind, so the API is not scraped";
        return Err(Waiting { reason: "PrometheusOperatorMissing", message: message.to_owned() });
    }
    let mut endpoint =
        json!({"path": api.path().as_str(), "interval": "15s", "scheme": "http", "targetPort": api.port()});
    if let Some(reference) = &api.spec.basic_auth {
        // Names of Secrets and their keys, which only Prometheus reads.
        endpoint["basicAuth"] = json!(reference);
    }
    let content = json!({"spec": {"selector": {"matchLabels": {"name": api.service()}}, "endpoints": [endpoint]}});
    Ok(Some(object(&kind(), Some(api.namespace), api.name(), content)))
}
