//! The installed Istio: control planes and other parts, by their Deployments and `DaemonSets`.

use std::collections::BTreeMap;

use mizzen_sdk::k8s::rollout::{self, Availability};
use mizzen_sdk::{AccessError, Description, Kind, Outcome, Query, cluster};
use serde::Deserialize;
use serde_json::Value;

use crate::{Supported, Version, reasons};

/// Label with the version on everything that istioctl and this project install.
pub const VERSION_LABEL: &str = "operator.istio.io/version";

/// Label on everything that a reconciler of this host applied.
const OWNER_LABEL: &str = "mizzen.dev/owner";

const DEPLOYMENTS: &str = "istio-deployments";
const DAEMON_SETS: &str = "istio-daemonsets";

/// A Deployment or `DaemonSet`: which version of Istio it runs, and how far its rollout is.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub struct Workload {
    object: Object,
    available: i64,
    rollout: rollout::Status,
}

#[derive(Clone, Debug, Deserialize)]
struct Object {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
struct Container {
    name: String,
    #[serde(default)]
    image: String,
}

/// Fields read of all kinds.
const COMMON: [&str; 6] = [
    "metadata.generation",
    "metadata.labels['mizzen.dev/owner']",
    "metadata.labels['operator.istio.io/version']",
    "spec.template.spec.containers[*].name",
    "spec.template.spec.containers[*].image",
    "status.observedGeneration",
];

const WHY: &str = "which version of Istio is installed, and whether it is available";

/// Declares what [`control_planes`] reads.
#[must_use]
pub fn declare(description: Description) -> Description {
    let own = [
        "spec.replicas",
        "status.replicas",
        "status.updatedReplicas",
        "status.availableReplicas",
        "status.conditions[type=Progressing].reason",
    ];
    let paths = [&COMMON[..], &own].concat();
    description.reads_fields(DEPLOYMENTS, Kind::new("apps/v1", "Deployment"), &paths, WHY)
}

/// Also declares what [`workloads`] reads.
#[must_use]
pub fn declare_all(description: Description) -> Description {
    let own = ["status.desiredNumberScheduled", "status.updatedNumberScheduled", "status.numberAvailable"];
    let paths = [&COMMON[..], &own].concat();
    declare(description).reads_fields(DAEMON_SETS, Kind::new("apps/v1", "DaemonSet"), &paths, WHY)
}

/// The control planes in all namespaces.
pub fn control_planes() -> Result<Vec<Workload>, AccessError> {
    cluster::list(&Query::of(Kind::new("apps/v1", "Deployment")).label("app", "istiod").fields(DEPLOYMENTS))
}

/// All Deployments and `DaemonSets` of a namespace.
pub fn workloads(namespace: &str) -> Result<Vec<Workload>, AccessError> {
    let of = |kind, fields| cluster::list(&Query::of(Kind::new("apps/v1", kind)).namespace(namespace).fields(fields));
    let mut all: Vec<Workload> = of("Deployment", DEPLOYMENTS)?;
    all.extend(of("DaemonSet", DAEMON_SETS)?);
    Ok(all)
}

/// Judges control planes that this reconciler leaves unchanged, because another party installed or
/// maintains them.
pub fn judge(planes: &[Workload], supported: Supported) -> Outcome {
    let reported = |outcome: Outcome, status, reason, message: &str| {
        outcome.condition(reasons::INSTALLED, status, reason, message)
    };
    let mut versions = Vec::new();
    for plane in planes {
        let Some(version) = plane.version("discovery") else {
            let why = format!("{plane} was {}, and its image does not name its version", plane.origin());
            return reported(Outcome::failed(&why), Some(false), reasons::UNSUPPORTED, &why);
        };
        if !supported.contains(version) {
            let why = format!("{plane} is {version}, {}; supported are {supported}", plane.origin());
            return reported(Outcome::failed(&why), Some(false), reasons::UNSUPPORTED, &why);
        }
        if plane.available < 1 {
            let why = format!("{plane} is not available yet");
            return reported(Outcome::progressing(&why), None, reasons::PROGRESSING, &why);
        }
        versions.push(format!("{plane} is {version}, {}", plane.origin()));
    }
    if versions.is_empty() {
        let why = "no Istio is installed yet: no Deployment has the label `app=istiod`";
        return reported(Outcome::progressing(why), None, reasons::PROGRESSING, why);
    }
    let message = format!("{}, and left unchanged", versions.join("; "));
    reported(Outcome::ready(), Some(true), reasons::USERS_OWN, &message)
}

impl Workload {
    /// Whether it has this kind and name.
    pub fn is(&self, kind: &str, name: &str) -> bool {
        (&*self.object.kind, &*self.object.metadata.name) == (kind, name)
    }

    /// Whether a reconciler of this host applied it.
    pub fn is_ours(&self) -> bool {
        self.object.metadata.labels.contains_key(OWNER_LABEL)
    }

    fn origin(&self) -> &'static str {
        if self.is_ours() { "installed by Mizzen before" } else { "installed by another party" }
    }

    /// The image of one of its containers.
    pub fn image(&self, container: &str) -> Option<&str> {
        self.object.spec.template.spec.containers.iter().find(|own| own.name == container).map(|own| &*own.image)
    }

    /// The version in the tag of a container's image, or in the label if the tag contains none.
    pub fn version(&self, container: &str) -> Option<Version> {
        let label = || Version::parse(self.object.metadata.labels.get(VERSION_LABEL)?).ok();
        Version::of_image(self.image(container)?).or_else(label)
    }

    /// Its rollout status.
    pub fn rollout(&self) -> &rollout::Status {
        &self.rollout
    }
}

impl TryFrom<Value> for Workload {
    type Error = serde_json::Error;

    fn try_from(object: Value) -> Result<Self, Self::Error> {
        let rollout = rollout::Status::of(&object);
        let available = Availability::of(&object).map_or(0, |own| own.available);
        Ok(Self { object: serde_json::from_value(object)?, available, rollout })
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.object.kind, self.object.metadata.namespace, self.object.metadata.name)
    }
}
