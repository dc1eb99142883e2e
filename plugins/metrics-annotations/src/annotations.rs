//! The annotations, and their removal.

use std::collections::BTreeMap;

use mizzen_oda_api::{Backend, Spec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::reads::{MARK, Workload};

const PROMETHEUS: [&str; 4] =
    ["prometheus.io/scrape", "prometheus.io/scheme", "prometheus.io/path", "prometheus.io/port"];

/// The scraper that reads the annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Style {
    /// `prometheus.io/scrape` and related ones, which many Prometheus configurations read.
    #[default]
    PrometheusAnnotations,
    /// `ad.datadoghq.com/<container>.checks`, for DataDog's agent.
    DataDogAnnotations,
}

impl Style {
    /// The annotations for the Pods of a workload.
    pub(crate) fn annotations(
        self,
        namespace: &str,
        spec: &Spec,
        backend: &Backend,
        workload: &Workload,
    ) -> BTreeMap<String, String> {
        match self {
            Self::PrometheusAnnotations => {
                let port = workload.port(backend).unwrap_or(spec.port.get()).to_string();
                let values = ["true".to_owned(), "http".to_owned(), spec.path.to_string(), port];
                PROMETHEUS.map(str::to_owned).into_iter().zip(values).collect()
            }
            Self::DataDogAnnotations => {
                let url =
                    format!("http://{}.{namespace}.svc.cluster.local:{}{}", spec.implementation, spec.port, spec.path);
                let instance = json!({"openmetrics_endpoint": url, "namespace": "components", "metrics": [".*"]});
                let checks = json!({"openmetrics": {"instances": [instance]}}).to_string();
                workload.container(backend).map(|name| (datadog(name), checks)).into_iter().collect()
            }
        }
    }
}

/// The fragment that sets them. Annotations of an earlier fragment that this one omits are removed.
pub(crate) fn set(api: &str, annotations: &BTreeMap<String, String>) -> Value {
    json!({
        "metadata": {"annotations": {MARK: api}},
        "spec": {"template": {"metadata": {"annotations": annotations}}},
    })
}

/// The fragment that removes all of them.
pub(crate) fn take_back(workload: &Workload) -> Value {
    let keys = PROMETHEUS.map(str::to_owned).into_iter().chain(workload.containers().map(datadog));
    let nulls: BTreeMap<_, _> = keys.map(|key| (key, Value::Null)).collect();
    json!({"metadata": {"annotations": {MARK: null}}, "spec": {"template": {"metadata": {"annotations": nulls}}}})
}

fn datadog(container: &str) -> String {
    format!("ad.datadoghq.com/{container}.checks")
}
