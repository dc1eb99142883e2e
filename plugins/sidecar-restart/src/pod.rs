//! The fields of a pod that concern sidecars.

use mizzen_sdk::{Description, Kind};
use mizzen_workloads::OwnerReference;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::resources::Resources;

pub(crate) const PODS: &str = "sidecars";

/// On pod templates, and so on the pods created from them: the proxy for which the workload was
/// restarted.
pub const MARK: &str = "mizzen.dev/sidecar-restarted-for";

/// The fields read of each pod: only those that decide, and only of the proxy.
pub(crate) const PATHS: &[&str] = &[
    "metadata.deletionTimestamp",
    "metadata.ownerReferences[*].apiVersion",
    "metadata.ownerReferences[*].kind",
    "metadata.ownerReferences[*].name",
    "metadata.ownerReferences[*].controller",
    "metadata.labels['sidecar.istio.io/inject']",
    "metadata.labels['istio.io/rev']",
    "metadata.annotations['sidecar.istio.io/status']",
    "metadata.annotations['sidecar.istio.io/inject']",
    "metadata.annotations['istio.io/rev']",
    "metadata.annotations['sidecar.istio.io/proxyImage']",
    "metadata.annotations['sidecar.istio.io/proxyImageType']",
    "metadata.annotations['sidecar.istio.io/proxyCPU']",
    "metadata.annotations['sidecar.istio.io/proxyCPULimit']",
    "metadata.annotations['sidecar.istio.io/proxyMemory']",
    "metadata.annotations['sidecar.istio.io/proxyMemoryLimit']",
    "metadata.annotations['proxy.istio.io/config']",
    "metadata.annotations['proxy.istio.io/overrides']",
    "metadata.annotations['inject.istio.io/templates']",
    "metadata.annotations['vpaUpdates']",
    "metadata.annotations['prometheus.istio.io/merge-metrics']",
    "metadata.annotations['prometheus.io/scrape']",
    "metadata.annotations['prometheus.io/port']",
    "metadata.annotations['prometheus.io/path']",
    "metadata.annotations['mizzen.dev/restart']",
    "metadata.annotations['mizzen.dev/sidecar-restarted-for']",
    "spec.hostNetwork",
    "spec.containers[name=istio-proxy].image",
    "spec.containers[name=istio-proxy].resources",
    "spec.containers[name=istio-proxy].env[name=TRUST_DOMAIN].value",
    "spec.containers[name=istio-proxy].env[name=ISTIO_META_DNS_CAPTURE].value",
    "spec.initContainers[name=istio-proxy].image",
    "spec.initContainers[name=istio-proxy].resources",
    "spec.initContainers[name=istio-proxy].env[name=TRUST_DOMAIN].value",
    "spec.initContainers[name=istio-proxy].env[name=ISTIO_META_DNS_CAPTURE].value",
    "spec.initContainers[name=istio-init].name",
    "spec.initContainers[name=istio-validation].name",
    "status.phase",
    "status.conditions[*].status",
];

/// A pod.
#[derive(Debug, Deserialize)]
pub(crate) struct Pod {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    pub(crate) spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: Box<str>,
    pub(crate) namespace: Box<str>,
    #[serde(default)]
    pub(crate) uid: Box<str>,
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(default)]
    pub(crate) owner_references: Vec<OwnerReference>,
    #[serde(default)]
    pub(crate) labels: Labels,
    #[serde(default)]
    pub(crate) annotations: Annotations,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Labels {
    #[serde(rename = "sidecar.istio.io/inject")]
    pub(crate) inject: Option<Box<str>>,
    #[serde(rename = "istio.io/rev")]
    pub(crate) revision: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Annotations {
    /// Set by the injector; the text is not used.
    #[serde(rename = "sidecar.istio.io/status")]
    pub(crate) status: Option<IgnoredAny>,
    #[serde(rename = "sidecar.istio.io/inject")]
    pub(crate) inject: Option<Box<str>>,
    /// The revision of its injector.
    #[serde(rename = "istio.io/rev")]
    pub(crate) revision: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyImage")]
    pub(crate) image: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyImageType")]
    pub(crate) image_type: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyCPU")]
    pub(crate) cpu: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyCPULimit")]
    pub(crate) cpu_limit: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyMemory")]
    pub(crate) memory: Option<Box<str>>,
    #[serde(rename = "sidecar.istio.io/proxyMemoryLimit")]
    pub(crate) memory_limit: Option<Box<str>>,
    /// The pod's own proxy settings, as YAML.
    #[serde(rename = "proxy.istio.io/config")]
    pub(crate) config: Option<Box<str>>,
    /// Set by the injector: the containers of the pod's template that it merged into its own, as
    /// JSON.
    #[serde(rename = "proxy.istio.io/overrides")]
    pub(crate) overrides: Option<Box<str>>,
    /// The injector's templates, separated by commas; `sidecar` by default.
    #[serde(rename = "inject.istio.io/templates")]
    templates: Option<Box<str>>,
    /// Set by a vertical autoscaler that changed resources; the text is not used.
    #[serde(rename = "vpaUpdates")]
    pub(crate) autoscaled: Option<IgnoredAny>,
    #[serde(rename = "prometheus.istio.io/merge-metrics")]
    pub(crate) merge: Option<Box<str>>,
    #[serde(rename = "prometheus.io/scrape")]
    pub(crate) scrape: Option<Box<str>>,
    #[serde(rename = "prometheus.io/port")]
    pub(crate) port: Option<Box<str>>,
    #[serde(rename = "prometheus.io/path")]
    pub(crate) path: Option<Box<str>>,
    #[serde(rename = "mizzen.dev/restart")]
    pub(crate) restart: Option<Box<str>>,
    #[serde(rename = "mizzen.dev/sidecar-restarted-for")]
    pub(crate) mark: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    pub(crate) host_network: bool,
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Container {
    pub(crate) name: Box<str>,
    #[serde(default)]
    pub(crate) image: Box<str>,
    #[serde(default)]
    pub(crate) resources: Resources,
    #[serde(default)]
    env: Vec<Variable>,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: Box<str>,
    value: Option<Box<str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: Box<str>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    status: Box<str>,
}

pub(crate) fn pod() -> Kind {
    Kind::new("v1", "Pod")
}

pub(crate) fn declare(description: Description) -> Description {
    description.reads_fields(PODS, pod(), PATHS, "each pod's sidecar, and whether it should have one")
}

impl Pod {
    /// Whether it is running or starting: neither completed nor being deleted.
    pub(crate) fn is_live(&self) -> bool {
        self.metadata.deletion_timestamp.is_none() && matches!(&*self.status.phase, "Running" | "Pending")
    }

    /// Whether it is running, and every condition is true.
    pub(crate) fn is_ready(&self) -> bool {
        let conditions = &self.status.conditions;
        &*self.status.phase == "Running"
            && !conditions.is_empty()
            && conditions.iter().all(|condition| &*condition.status == "True")
    }

    /// Its proxy: a container, or an init container.
    pub(crate) fn proxy(&self) -> Option<&Container> {
        self.spec.containers.iter().chain(&self.spec.init_containers).find(|own| &*own.name == "istio-proxy")
    }

    /// Whether it has an init container of this name.
    pub(crate) fn has_init(&self, name: &str) -> bool {
        self.spec.init_containers.iter().any(|own| &*own.name == name)
    }
}

impl Annotations {
    /// Whether the injector's template for sidecars is used.
    pub(crate) fn is_of_sidecar_template(&self) -> bool {
        self.templates.as_deref().is_none_or(|all| all.split(',').any(|own| own.trim() == "sidecar"))
    }
}

impl Container {
    /// A variable of its environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|own| &*own.name == name)?.value.as_deref()
    }
}
