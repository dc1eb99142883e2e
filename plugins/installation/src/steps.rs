//! The steps of an installation: definitions, then the control plane, then what connects to it.
//! Each waits for the one before; nothing is pruned before the last step has begun.
//!
//! ```text
//!   definitions ─(served)─► base, CNI, istiod ─(rolled out, at the desired images)─► gateways, ztunnel
//!                                                                                     └─(rolled out)─► ready
//! ```

use mizzen_istio_api::plane::{self, Workload};
use mizzen_istio_api::reasons;
use mizzen_sdk::k8s::Listed;
use mizzen_sdk::k8s::rollout::Status;
use mizzen_sdk::{AccessError, Outcome};
use serde_json::Value;

use crate::config::Config;
use crate::definitions::Definitions;

/// The step in which an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Namespace,
    Definitions,
    ControlPlane,
    Gateways,
}

/// What is still awaited, or has failed.
enum Wait {
    For(String),
    Failed(String),
}

/// The desired objects of the current step, and its state.
pub(crate) fn outcome(
    mut objects: Vec<Value>,
    definitions: &Definitions,
    config: &Config,
    version: &str,
) -> Result<Outcome, AccessError> {
    objects.retain(|own| !definitions.newer.iter().any(|name| own["metadata"]["name"] == **name));
    // Istio's own order within a step stays.
    objects.sort_by_key(step);
    let up_to = |last: Step| objects.iter().filter(|own| step(own) <= last).cloned().collect::<Vec<_>>();
    if !definitions.awaited.is_empty() {
        let wait = Wait::For(format!("{} to be served", Listed::first(1, &definitions.awaited)));
        return Ok(wait.outcome(version).desire_so_far(up_to(Step::Definitions)));
    }
    let there = plane::workloads(&config.namespace)?;
    if let Some(wait) = waits(&objects, Step::ControlPlane, &there) {
        return Ok(wait.outcome(version).desire_so_far(up_to(Step::ControlPlane)));
    }
    let outcome = match waits(&objects, Step::Gateways, &there) {
        Some(wait) => wait.outcome(version),
        None => ready(definitions, version),
    };
    Ok(outcome.desire(objects))
}

fn ready(definitions: &Definitions, version: &str) -> Outcome {
    let mut message = format!("Istio {version} is installed");
    if !definitions.newer.is_empty() {
        message = format!("{message}; newer than it, and left as they are: {}", definitions.newer.join(", "));
    }
    Outcome::ready().condition(reasons::INSTALLED, Some(true), reasons::SUCCEEDED, message)
}

fn step(object: &Value) -> Step {
    let labels = &object["metadata"]["labels"];
    // The chart of ztunnel sets no component.
    let component = labels["operator.istio.io/component"].as_str().or(labels["app.kubernetes.io/name"].as_str());
    match (object["kind"].as_str(), component) {
        (Some("Namespace"), _) => Step::Namespace,
        (Some("CustomResourceDefinition"), _) => Step::Definitions,
        (_, Some("IngressGateways" | "EgressGateways" | "ztunnel")) => Step::Gateways,
        _ => Step::ControlPlane,
    }
}

/// What a step waits for: each of its workloads must have the desired images, and be rolled out.
fn waits(objects: &[Value], of: Step, there: &[Workload]) -> Option<Wait> {
    let workloads = objects.iter().filter(|own| step(own) == of);
    workloads.filter(|own| matches!(own["kind"].as_str(), Some("Deployment" | "DaemonSet"))).find_map(|wanted| {
        let (kind, name) = (wanted["kind"].as_str()?, wanted["metadata"]["name"].as_str()?);
        let Some(there) = there.iter().find(|own| own.is(kind, name)) else {
            return Some(Wait::For(format!("{kind} {name} to exist")));
        };
        let containers = wanted["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten();
        for container in containers {
            let (name, image) = (container["name"].as_str().unwrap_or_default(), container["image"].as_str());
            if there.image(name) != image {
                return Some(Wait::For(format!("{there} to have the image {}", image.unwrap_or_default())));
            }
        }
        match there.rollout() {
            Status::Complete => None,
            Status::InProgress(pending) => Some(Wait::For(format!("its workloads: {there}: {pending}"))),
            Status::Failed(why) => Some(Wait::Failed(format!("the rollout of {there} failed: {why}"))),
        }
    })
}

impl Wait {
    fn outcome(self, version: &str) -> Outcome {
        match self {
            Self::For(what) => {
                let message = format!("Istio {version} waits for {what}");
                Outcome::progressing(&message).condition(reasons::INSTALLED, None, reasons::PROGRESSING, message)
            }
            Self::Failed(what) => {
                let message = format!("Istio {version} can't be installed: {what}");
                Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reasons::FAILED, message)
            }
        }
    }
}
