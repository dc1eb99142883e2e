//! An API's Service and the Pods that it selects, for every reconciler that limits or scrapes them.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, cluster};
use serde::Deserialize;

use crate::Spec;

/// Name of the field set.
const BACKEND: &str = "backend";

/// The Service of an API: which Pods it selects, and their port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    selector: BTreeMap<String, String>,
    name: Option<String>,
    target: TargetPort,
}

/// A port of Pods.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum TargetPort {
    /// By its number.
    Number(u16),
    /// By its name in a container: each Pod may have another number.
    Name(String),
}

#[derive(Deserialize)]
struct Service {
    #[serde(default)]
    spec: ServiceSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServiceSpec {
    selector: BTreeMap<String, String>,
    ports: Vec<ServicePort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServicePort {
    name: Option<String>,
    port: u16,
    /// TCP by default.
    protocol: Option<String>,
    target_port: Option<TargetPort>,
}

impl ServicePort {
    fn is_tcp(&self) -> bool {
        matches!(self.protocol.as_deref(), None | Some("" | "TCP"))
    }
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

impl Backend {
    /// Declares its reads; `why` is the reason.
    pub fn declare(description: Description, why: &str) -> Description {
        description.reads_fields(BACKEND, service(), &["spec.selector", "spec.ports"], why)
    }

    /// Reads the Service of an API; `None` if it does not exist, selects nothing or lacks the port.
    /// A Service can use a number for UDP as well, which no API uses.
    pub fn of(namespace: &str, spec: &Spec) -> Result<Option<Self>, AccessError> {
        let reference = ObjectRef::new(service(), Some(namespace), spec.implementation.as_str());
        let found: Option<Service> = cluster::get(&reference, Some(BACKEND))?;
        let Some(ServiceSpec { selector, ports }) = found.map(|service| service.spec) else { return Ok(None) };
        let is_its = |own: &ServicePort| own.port == spec.port.get() && own.is_tcp();
        let port = ports.into_iter().find(is_its).filter(|_| !selector.is_empty());
        Ok(port.map(|ServicePort { name, port, target_port, .. }| Self {
            selector,
            name,
            target: target_port.unwrap_or(TargetPort::Number(port)),
        }))
    }

    /// Labels of the Pods; at least one.
    pub fn selector(&self) -> &BTreeMap<String, String> {
        &self.selector
    }

    /// Whether it selects Pods with these labels.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The Service's name of the port, as in its slices.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The port that the Pods listen at.
    pub fn target(&self) -> &TargetPort {
        &self.target
    }
}
