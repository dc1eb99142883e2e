//! Restarts the ingress gateway after a change of a setting that it reads only when it starts:
//! `numTrustedProxies`, `forwardClientCertDetails`, `trustDomain` and `proxyStatsMatcher`.
//!
//! Behaviour: Kyma's ingress gateway reconciler, as state rather than as a difference to what was
//! last applied. The gateway's pod template has the digests of the four inputs with which its pods
//! were started; if they differ, writing the new ones restarts it.
//!
//! Without digests the gateway is new: an installation for the same subject has just created it,
//! and its pods have read the current settings. That is noted on the Deployment itself, which
//! restarts nothing. So neither a new gateway nor one that was deleted and created again is
//! restarted needlessly. (An existing gateway that is adopted just when an input changes is taken
//! for a new one; `restartUnknown` restarts such gateways once.)

mod inputs;

use mizzen_istio_api::Spec;
use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Patch, Reconciler, Request, cluster};
use mizzen_workloads::{Controller, Progress, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use inputs::Inputs;

/// On the pod template: the inputs that the gateway was last restarted for.
pub const RESTARTED_FOR: &str = "mizzen.dev/gateway-restarted-for";

/// On the Deployment: the inputs that it was created with.
pub const MADE_WITH: &str = "gateway-restart.mizzen.dev/made-with";

/// The reconciler.
#[derive(Debug)]
pub struct GatewayRestart;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The gateway's namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
    /// The gateway's Deployment.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The pace of restarts, by its name in the Reconciler's `spec.pace`; default: at once.
    pub pace: Option<String>,
    /// Whether a gateway without noted inputs is restarted.
    pub restart_unknown: bool,
}

impl Reconciler for GatewayRestart {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Restarts the ingress gateway after changes of settings that it reads only when it starts";
        let istio = Kind::new("mizzen.dev/v1alpha1", "Istio");
        let description = Description::new("gateway-restart", env!("CARGO_PKG_VERSION"), summary, istio);
        mizzen_workloads::deployment(
            description,
            RESTARTED_FOR,
            &["metadata.annotations['gateway-restart.mizzen.dev/made-with']"],
        )
    }

    fn reconcile(Request { subject, config, .. }: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let deployment = ObjectRef::new(Controller::Deployment.kind(), Some(&config.namespace), &config.name);
        let Some(gateway) = cluster::get::<State>(&deployment, Some(mizzen_workloads::DEPLOYMENTS))? else {
            return Ok(Outcome::ready());
        };
        let inputs = Inputs::of(&subject.spec);
        let known = gateway.template_annotation(RESTARTED_FOR).or_else(|| gateway.annotation(MADE_WITH));
        let Some(known) = known else {
            return Ok(if config.restart_unknown {
                restart(deployment, &inputs, config, "it is not known with which settings it was created")
            } else {
                note(deployment, &inputs)
            });
        };
        match inputs.changed_since(known) {
            changed if !changed.is_empty() => {
                Ok(restart(deployment, &inputs, config, &format!("{} changed", changed.join(", "))))
            }
            _ => Ok(settled(&gateway, config)),
        }
    }
}

mizzen_sdk::export!(GatewayRestart);

/// Notes the inputs of a new gateway, without a restart.
fn note(deployment: ObjectRef, inputs: &Inputs) -> Outcome {
    let fragment = json!({"metadata": {"annotations": {MADE_WITH: inputs.to_string()}}});
    Outcome::ready().patch(Patch::new(deployment, fragment, "notes the settings that the gateway was created with"))
}

fn restart(deployment: ObjectRef, inputs: &Inputs, config: &Config, why: &str) -> Outcome {
    let fragment = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_FOR: inputs.to_string()}}}}});
    let patch = Patch::new(deployment, fragment, format!("restarted: {why}"));
    let patch = config.pace.iter().fold(patch, |patch, pace| patch.paced_by(pace));
    Outcome::progressing(format!("Deployment {}/{} is being restarted: {why}", config.namespace, config.name))
        .patch(patch)
}

/// A gateway whose pods were started with the current inputs, or are being replaced.
fn settled(gateway: &State, config: &Config) -> Outcome {
    let restarted = gateway.template_annotation(RESTARTED_FOR).is_some();
    let name = format!("Deployment {}/{}", config.namespace, config.name);
    match gateway.progress() {
        progress @ Progress::Rolling if restarted => Outcome::progressing(format!("{name}: {progress}")),
        progress @ (Progress::Stuck | Progress::Paused) if restarted => Outcome::warning(format!("{name}: {progress}")),
        _ => Outcome::ready(),
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            namespace: "istio-system".into(),
            name: "istio-ingressgateway".into(),
            pace: None,
            restart_unknown: false,
        }
    }
}

#[cfg(test)]
mod tests;
