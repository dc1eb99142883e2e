//! What Istio there is: control planes and what belongs to them, as their Deployments and `DaemonSets` say.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Description, Kind, Outcome, Query, cluster};
use serde::Deserialize;

use crate::{Supported, Version, reasons};

/// Label on everything that istioctl and this project install, with the version.
pub const VERSION_LABEL: &str = "operator.istio.io/version";

/// Label on everything that a reconciler of this host applied.
const OWNER_LABEL: &str = "mizzen.dev/owner";

const DEPLOYMENTS: &str = "istio-deployments";
const DAEMON_SETS: &str = "istio-daemonsets";

/// A Deployment or `DaemonSet`, as far as it says what Istio there is and whether it is up.
#[derive(Clone, Debug, Deserialize)]
pub struct Workload {
    kind: String,
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(default)]
    generation: i64,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<i64>,
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

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i64,
    updated_replicas: i64,
    available_replicas: i64,
    desired_number_scheduled: i64,
    updated_number_scheduled: i64,
    number_available: i64,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    #[serde(default)]
    reason: String,
}

/// How far a workload has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// All of it is new and available.
    Done,
    /// On its way; says how far.
    Going(String),
    /// It has given up; says where.
    Stuck(String),
}

/// Read of all.
const COMMON: [&str; 6] = [
    "metadata.generation",
    "metadata.labels['mizzen.dev/owner']",
    "metadata.labels['operator.istio.io/version']",
    "spec.template.spec.containers[*].name",
    "spec.template.spec.containers[*].image",
    "status.observedGeneration",
];

const WHY: &str = "which version of Istio is there, and whether it is up";

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

/// Declares what [`workloads`] reads, too.
#[must_use]
pub fn declare_all(description: Description) -> Description {
    let own = ["status.desiredNumberScheduled", "status.updatedNumberScheduled", "status.numberAvailable"];
    let paths = [&COMMON[..], &own].concat();
    declare(description).reads_fields(DAEMON_SETS, Kind::new("apps/v1", "DaemonSet"), &paths, WHY)
}

/// The control planes, wherever they are.
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

/// What is said of control planes that are left as they are, because somebody else installed them or keeps them now: whether they do.
pub fn judge(planes: &[Workload], supported: Supported) -> Outcome {
    let told = |outcome: Outcome, status, reason, message: &str| {
        outcome.condition(reasons::INSTALLED, status, reason, message)
    };
    let mut versions = Vec::new();
    for plane in planes {
        let Some(version) = plane.version("discovery") else {
            let why = format!("{plane} was {}, and does not say by its image which version it is", plane.origin());
            return told(Outcome::failed(&why), Some(false), reasons::UNSUPPORTED, &why);
        };
        if !supported.contains(version) {
            let why = format!("{plane} is {version}, {}; supported are {supported}", plane.origin());
            return told(Outcome::failed(&why), Some(false), reasons::UNSUPPORTED, &why);
        }
        if plane.status.available_replicas < 1 {
            let why = format!("{plane} is not available yet");
            return told(Outcome::progressing(&why), None, reasons::PROGRESSING, &why);
        }
        versions.push(format!("{plane} is {version}, {}", plane.origin()));
    }
    if versions.is_empty() {
        let why = "there is no Istio yet: no Deployment is labelled `app=istiod`";
        return told(Outcome::progressing(why), None, reasons::PROGRESSING, why);
    }
    let message = format!("{}, and left as it is", versions.join("; "));
    told(Outcome::ready(), Some(true), reasons::USERS_OWN, &message)
}

impl Workload {
    /// Whether it is of this kind and name.
    pub fn is(&self, kind: &str, name: &str) -> bool {
        (&*self.kind, &*self.metadata.name) == (kind, name)
    }

    /// Whether a reconciler of this host applied it.
    pub fn is_ours(&self) -> bool {
        self.metadata.labels.contains_key(OWNER_LABEL)
    }

    fn origin(&self) -> &'static str {
        if self.is_ours() { "installed from here before" } else { "installed by somebody else" }
    }

    /// The image of one of its containers.
    pub fn image(&self, container: &str) -> Option<&str> {
        self.spec.template.spec.containers.iter().find(|own| own.name == container).map(|own| &*own.image)
    }

    /// The version that a container's image says, or, where its tag is of somebody's own making, the label.
    pub fn version(&self, container: &str) -> Option<Version> {
        let label = || Version::parse(self.metadata.labels.get(VERSION_LABEL)?).ok();
        Version::of_image(self.image(container)?).or_else(label)
    }

    /// How far it has come.
    pub fn rollout(&self) -> Rollout {
        let Self { metadata, spec, status, .. } = self;
        let (wanted, updated, available, old) = if self.kind == "DaemonSet" {
            (status.desired_number_scheduled, status.updated_number_scheduled, status.number_available, 0)
        } else {
            let old = status.replicas - status.updated_replicas;
            (spec.replicas.unwrap_or(1), status.updated_replicas, status.available_replicas, old)
        };
        let observed = status.observed_generation >= metadata.generation;
        let far = format!("{self} has {available} of {wanted} pods available, {updated} of them new");
        if observed && updated >= wanted && available >= wanted && old <= 0 {
            Rollout::Done
        } else if observed && status.conditions.iter().any(|own| own.reason == "ProgressDeadlineExceeded") {
            Rollout::Stuck(far)
        } else {
            Rollout::Going(far)
        }
    }
}

impl std::fmt::Display for Workload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.metadata.namespace, self.metadata.name)
    }
}
