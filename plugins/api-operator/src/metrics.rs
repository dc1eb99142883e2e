//! Metrics: a ServiceMonitor for an API that serves them.

use mizzen_oda_api::{Backend, TargetPort};
use mizzen_sdk::{AccessError, Kind, cluster, object};
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
///
/// # Errors
/// When the Service can't be read.
pub(crate) fn service_monitor(api: &Api) -> Result<Result<Option<Value>, Waiting>, AccessError> {
    if !api.spec.api_type.is_metrics() || api.config.open_metrics != OpenMetrics::ServiceMonitor {
        return Ok(Ok(None));
    }
    if !cluster::serves(&kind()) {
        let message = "the ServiceMonitor awaits the Prometheus operator: the API server does not \
            serve that kind, so the API is not scraped";
        return Ok(Err(Waiting { reason: "PrometheusOperatorMissing", message: message.to_owned() }));
    }
    let (field, port) = port(api)?;
    let mut endpoint = json!({"path": api.path().as_str(), "interval": "15s", "scheme": "http", field: port});
    if let Some(reference) = &api.spec.basic_auth {
        // Names of Secrets and their keys, which only Prometheus reads.
        endpoint["basicAuth"] = json!(reference);
    }
    let content = json!({"spec": {"selector": {"matchLabels": {"name": api.service()}}, "endpoints": [endpoint]}});
    Ok(Ok(Some(object(&kind(), Some(api.namespace), api.name(), content))))
}

/// The field for the port, and its value. `port` is a name of the Service's port; `targetPort` is the
/// port of its Pods, which differs from the Service's where that forwards. A Service that is not there
/// yet, or selects no Pods, is taken to forward to the same number.
fn port(api: &Api) -> Result<(&'static str, Value), AccessError> {
    let Some(backend) = Backend::of(api.namespace, api.spec)? else { return Ok(("targetPort", json!(api.port()))) };
    Ok(match (backend.name().filter(|name| !name.is_empty()), backend.target()) {
        (Some(name), _) => ("port", json!(name)),
        (None, TargetPort::Name(name)) => ("targetPort", json!(name)),
        (None, TargetPort::Number(number)) => ("targetPort", json!(number)),
    })
}
