//! The pods of an application: their accounts, and their metrics.

use std::collections::BTreeSet;

use mizzen_oam_api::{APP, COMPONENT};
use mizzen_sdk::{AccessError, Description, Kind, Query, cluster};
use serde::Deserialize;
use serde_json::{Map, Value};

const PODS: &str = "pods";
/// The annotation of a pod with metrics, and, with a number appended, with further ones.
const ENABLED: &str = "verrazzano.io/metricsEnabled";
/// The most endpoints of metrics that a pod may have: fields must be declared, so there is a limit.
const PLACES: usize = 10;

/// The pods of an application.
#[derive(Debug)]
pub(crate) struct Pods(Vec<Pod>);

#[derive(Debug, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    annotations: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    service_account_name: String,
}

pub(crate) fn declare(description: Description) -> Description {
    let mut fields = vec!["spec.serviceAccountName".to_owned(), format!("metadata.labels['{COMPONENT}']")];
    fields.extend((0..PLACES).map(|place| format!("metadata.annotations['{ENABLED}{}']", number(place))));
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    let why = "the accounts of the application's pods, and their metrics";
    description.reads_fields(PODS, Kind::new("v1", "Pod"), &fields, why)
}

/// The suffix of the names of an endpoint's annotations: empty for the first, then 1, 2, …
pub(crate) fn number(place: usize) -> String {
    if place == 0 { String::new() } else { place.to_string() }
}

/// Reads the pods of an application.
pub(crate) fn read(namespace: &str, app: &str) -> Result<Pods, AccessError> {
    let query = Query::of(Kind::new("v1", "Pod")).namespace(namespace).label(APP, app).fields(PODS);
    Ok(Pods(cluster::list(&query)?))
}

// === impl Pods ===

impl Pods {
    /// Their accounts.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pod| &*pod.spec.service_account_name).filter(|name| !name.is_empty())
    }

    /// The names of the pods with this account.
    pub(crate) fn running_as(&self, account: &str) -> Vec<&str> {
        let running = self.0.iter().filter(|pod| pod.spec.service_account_name == account);
        running.map(|pod| &*pod.metadata.name).collect()
    }

    /// The endpoints of metrics that any pod of a component has: 0 for annotations without a
    /// number.
    pub(crate) fn places(&self, component: &str) -> BTreeSet<usize> {
        let own = self.0.iter().filter(|pod| text(&pod.metadata.labels, COMPONENT) == Some(component));
        let places = |pod: &Pod| {
            let annotations = pod.metadata.annotations.clone();
            (0..PLACES).filter(move |place| text(&annotations, &format!("{ENABLED}{}", number(*place))) == Some("true"))
        };
        own.flat_map(places).collect()
    }
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    map.get(key).and_then(Value::as_str)
}
