//! Reads of the cluster: an API's Service, and the workloads of its namespace.

use std::collections::BTreeMap;
use std::fmt;

use mizzen_oda_api::{Backend, Spec, TargetPort};
use mizzen_sdk::{AccessError, Description, Kind, ObjectRef, Query, Request, cluster};
use serde::Deserialize;

/// On a workload: the API whose metrics it serves.
pub(crate) const MARK: &str = "oda.tmforum.org/metrics-of";

const FIELDS: [&str; 4] = [
    "metadata.annotations['oda.tmforum.org/metrics-of']",
    "spec.template.metadata.labels",
    "spec.template.spec.containers[*].name",
    "spec.template.spec.containers[*].ports",
];
const KINDS: [(&str, &str); 2] = [("Deployment", "deployments"), ("StatefulSet", "statefulsets")];

/// A Deployment or a StatefulSet.
pub(crate) struct Workload {
    kind: &'static str,
    object: Object,
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

pub(crate) fn declare(description: Description) -> Description {
    let itself = Backend::declare(description, "the Pods of an API, and their port");
    KINDS.into_iter().fold(itself, |description, (kind, set)| {
        let of = Kind::new("apps/v1", kind);
        description
            .reads_fields(set, of.clone(), &FIELDS, "the workloads that serve an API's metrics")
            .patches(of, "annotations on a workload's Pods have them scraped")
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

impl Workload {
    pub(crate) fn reference(&self) -> ObjectRef {
        let Metadata { name, namespace, .. } = &self.object.metadata;
        ObjectRef::new(Kind::new("apps/v1", self.kind), Some(namespace), name)
    }

    /// The API whose metrics it serves.
    pub(crate) fn of(&self) -> Option<&str> {
        self.object.metadata.annotations.get(MARK).map(String::as_str)
    }

    pub(crate) fn serves<Config>(&self, request: &Request<Spec, Config>) -> bool {
        self.of() == Some(request.subject.metadata.name.as_str())
    }

    pub(crate) fn is_behind(&self, backend: &Backend) -> bool {
        backend.selects(&self.object.spec.template.metadata.labels)
    }

    /// The number of the Service's target port.
    pub(crate) fn port(&self, backend: &Backend) -> Option<u16> {
        match backend.target() {
            TargetPort::Name(name) => {
                let mut ports = self.all().iter().flat_map(|container| &container.ports);
                ports.find(|port| port.name.as_ref() == Some(name)).map(|port| port.container_port)
            }
            TargetPort::Number(number) => Some(*number),
        }
    }

    /// The container that listens at the Service's target port; the first if none declares it.
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
