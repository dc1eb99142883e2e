//! What an API's Service says of the Pods behind it, read alike by whoever limits them and by whoever has them scraped.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, cluster};
use serde::Deserialize;

use crate::Spec;

/// Name of the field set.
const BACKEND: &str = "backend";

/// The Service of an API, as far as it says which Pods are behind it and at which port of theirs.
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
    /// By the name that a container gives it: each Pod may have another number.
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
    /// TCP where it does not say.
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
    /// Declares that it is read, and why.
    pub fn declare(description: Description, why: &str) -> Description {
        description.reads_fields(BACKEND, service(), &["spec.selector", "spec.ports"], why)
    }

    /// That of an API in a namespace; `None` while its Service is not there, selects nothing or has no such port. A Service can have one
    /// number for UDP as well, which no API is called by.
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

    /// Labels of the Pods; there is at least one.
    pub fn selector(&self) -> &BTreeMap<String, String> {
        &self.selector
    }

    /// Whether Pods with these labels are among them.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// What the Service calls the port; its slices do, too.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The port that the Pods listen at.
    pub fn target(&self) -> &TargetPort {
        &self.target
    }
}
