//! What is read of the cluster: an API's Service, and the workloads of its namespace.

use std::collections::BTreeMap;
use std::fmt;

use mizzen_oda_api::Spec;
use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, Query, Request, cluster};
use serde::Deserialize;
use serde_json::Value;

use crate::Config;
use crate::annotations::MARK;

const BACKEND: &str = "backend";
const FIELDS: [&str; 4] = [
    "metadata.annotations['oda.tmforum.org/metrics-of']",
    "spec.template.metadata.labels",
    "spec.template.spec.containers[*].name",
    "spec.template.spec.containers[*].ports",
];
const KINDS: [(&str, &str); 2] = [("Deployment", "deployments"), ("StatefulSet", "statefulsets")];

/// An API's Service: which Pods it selects, and at which port of theirs.
pub(crate) struct Backend {
    selector: BTreeMap<String, String>,
    target: Value,
}

/// A Deployment or a StatefulSet.
pub(crate) struct Workload {
    kind: &'static str,
    object: Object,
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
    port: u16,
    target_port: Option<Value>,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
    spec: WorkloadSpec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WorkloadSpec {
    template: Template,
}

#[derive(Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
    #[serde(default)]
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateMetadata {
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    ports: Vec<ContainerPort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerPort {
    name: Option<String>,
    container_port: u16,
}

fn service() -> Kind {
    Kind::new("v1", "Service")
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = ["spec.selector", "spec.ports"];
    let itself =
        description.reads_fields(BACKEND, service(), &paths, "which Pods are behind an API, and at which port");
    KINDS.into_iter().fold(itself, |description, (kind, set)| {
        let of = Kind::new("apps/v1", kind);
        description
            .reads_fields(set, of.clone(), &FIELDS, "which workloads serve an API's metrics")
            .patches(of, "the Pods of a workload say that they are scraped")
    })
}

/// The workloads of a namespace.
pub(crate) fn workloads(namespace: &str) -> Result<Vec<Workload>, AccessError> {
    let mut all = Vec::new();
    for (kind, set) in KINDS {
        let query = Query::of(Kind::new("apps/v1", kind)).namespace(namespace).fields(set);
        all.extend(cluster::list(&query)?.into_iter().map(|object| Workload { kind, object }));
    }
    Ok(all)
}

impl Backend {
    /// The Service of an API; `None` while it is not there, selects nothing or has no such port.
    pub(crate) fn of(namespace: &str, spec: &Spec) -> Result<Option<Self>, AccessError> {
        let reference = ObjectRef::new(service(), Some(namespace), spec.implementation.as_str());
        let found: Option<Service> = cluster::get(&reference, Some(BACKEND))?;
        let Some(ServiceSpec { selector, ports }) = found.map(|service| service.spec) else { return Ok(None) };
        let port = ports.into_iter().find(|port| port.port == spec.port.get()).filter(|_| !selector.is_empty());
        Ok(port.map(|port| Self { selector, target: port.target_port.unwrap_or_else(|| port.port.into()) }))
    }
}

impl Workload {
    pub(crate) fn reference(&self) -> ObjectRef {
        let Metadata { name, namespace, .. } = &self.object.metadata;
        ObjectRef::new(Kind::new("apps/v1", self.kind), Some(namespace), name)
    }

    /// The API whose metrics it serves.
    pub(crate) fn of(&self) -> Option<&str> {
        self.object.metadata.annotations.get(MARK).map(String::as_str)
    }

    pub(crate) fn serves(&self, request: &Request<Spec, Config>) -> bool {
        self.of() == Some(request.subject.metadata.name.as_str())
    }

    pub(crate) fn is_behind(&self, backend: &Backend) -> bool {
        let labels = &self.object.spec.template.metadata.labels;
        backend.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }

    /// The number of the port behind the Service's.
    pub(crate) fn port(&self, backend: &Backend) -> Option<u16> {
        match &backend.target {
            Value::String(name) => {
                let mut ports = self.all().iter().flat_map(|container| &container.ports);
                ports.find(|port| port.name.as_ref() == Some(name)).map(|port| port.container_port)
            }
            number => number.as_u64().and_then(|number| u16::try_from(number).ok()),
        }
    }

    /// The container that listens at the port behind the Service's; the first when none says that it does.
    pub(crate) fn container(&self, backend: &Backend) -> Option<&str> {
        let port = self.port(backend);
        let listens = |own: &&Container| own.ports.iter().any(|own| Some(own.container_port) == port);
        self.all().iter().find(listens).or(self.all().first()).map(|container| &*container.name)
    }

    pub(crate) fn containers(&self) -> impl Iterator<Item = &str> {
        self.all().iter().map(|container| &*container.name)
    }

    fn all(&self) -> &[Container] {
        &self.object.spec.template.spec.containers
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.object.metadata.name)
    }
}
