//! Lets the mesh reach Dynatrace, where Istio lets nothing through that it does not know (`REGISTRY_ONLY`): the API that a DynaKube names
//! first, then the hosts that this API reports for ActiveGate and OneAgent, which change over time.
//!
//! ```text
//! DynaKube ─► operator's entries ─► are they there? ─► ask the API ─► endpoints ─► divide among components and DynaKubes ─► entries
//!                                    no: want them first     │ no answer, an error, nothing
//!                                                            └─► what it answered last, from the DynaKube's status
//! ```
//!
//! Behaviour: the Istio integration of Dynatrace's operator, with its faults mended; the tests name each. The last good answer lives in the
//! DynaKube's status, where that operator has it, too: so it outlives a restart, and each DynaKube can see what the others want.

mod answer;
mod api;
mod claims;
mod component;
mod conditions;
mod dynakube;
mod hosts;

use std::time::Duration;

use mizzen_istio_egress::{Prefix, service_entry, virtual_service};
use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Reconciler, Request, cluster};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use answer::Answers;
use api::Api;
use claims::Plan;
use component::Component;
use dynakube::{DynaKubes, Spec};

/// The reconciler.
#[derive(Debug)]
pub struct Egress;

/// What the operator decides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// How long the Dynatrace API may take for one answer. Two are asked for: both must fit into the time of a call, which is 5 s unless
    /// `limits.time` gives it more.
    #[schemars(range(min = 1, max = 60))]
    pub timeout_seconds: u32,
}

/// How often the API is asked whether something has changed; answers younger than the DynaKube's threshold come from the host's cache.
const UNCHANGED: Duration = Duration::from_mins(15);

/// Name of the field set of what is there.
const THERE: &str = "there";

fn dynakube() -> Kind {
    Kind::new("dynatrace.com/v1beta6", "DynaKube")
}

impl Reconciler for Egress {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let why = "what other DynaKubes want, so that no host is in two entries, and what the API answered last";
        Description::new("egress", env!("CARGO_PKG_VERSION"), "Lets the mesh reach Dynatrace", dynakube())
            .reads_fields(dynakube::FIELDS, dynakube(), &dynakube::PATHS, why)
            .reads_fields(THERE, service_entry(), &["spec.hosts"], "whether the way to the API is open already")
            .applies(service_entry(), "what the mesh may reach")
            .applies(virtual_service(), "that traffic to a host goes to that host")
            .http("which hosts ActiveGate and OneAgent report to, from the Dynatrace API")
            .credential(api::CREDENTIAL)
    }

    fn reconcile(Request { subject, config, .. }: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let spec = &subject.spec;
        if !spec.enable_istio {
            return Ok(Outcome::ready().desire([]).status(json!({})));
        }
        let kubes = DynaKubes::read(&subject.metadata)?;
        let known = Answers::known(&kubes.own().status);
        let prefix = match Prefix::parse(&subject.metadata.name) {
            Ok(prefix) => prefix,
            Err(error) => return Ok(conditions::unreadable(&format!("`metadata.name`: {error}"), &known)),
        };
        let api = match Api::parse(&spec.api_url) {
            Ok(api) => api,
            Err(error) => return Ok(conditions::unreadable(&format!("`spec.apiUrl`: {error}"), &known)),
        };
        if !(cluster::serves(&service_entry()) && cluster::serves(&virtual_service())) {
            return Ok(conditions::without_istio(&known));
        }
        // This host may be in the mesh itself: what it asks for would not come through before the way is open.
        let first = Plan::make(&kubes, &subject.metadata, &prefix, spec, &known);
        if !is_there(&first)? {
            return Ok(conditions::opening(&first, &known).desire_so_far(first.objects()));
        }
        let answers = Answers::ask(&api, spec, config, known);
        let plan = Plan::make(&kubes, &subject.metadata, &prefix, spec, &answers);
        let outcome = conditions::told(&plan, &answers).requeue_after(answers.ask_again().unwrap_or(UNCHANGED));
        let complete = is_complete(&plan, &answers)?;
        Ok(if complete { outcome.desire(plan.objects()) } else { outcome.desire_so_far(plan.objects()) })
    }
}

mizzen_sdk::export!(Egress);

/// Whether the operator's entries are in the cluster.
fn is_there(plan: &Plan) -> Result<bool, Failure> {
    for entry in plan.of(Component::Operator).iter().filter(|object| object["kind"] == "ServiceEntry") {
        if !exists(entry)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether all is known that the mesh is to reach, so that what is not among it may go. "Nothing" from an API that never answered anything
/// else is that, unless there are entries of an answer that nobody remembers.
fn is_complete(plan: &Plan, answers: &Answers) -> Result<bool, Failure> {
    for (component, answer) in answers.each() {
        if answer.is_unknown() {
            return Ok(false);
        }
        if answer.is_nothing() {
            for name in plan.names_of(component) {
                if exists(&json!({"metadata": {"namespace": plan.namespace(), "name": name}}))? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn exists(entry: &Value) -> Result<bool, Failure> {
    let name = entry["metadata"]["name"].as_str().unwrap_or_default();
    let object = ObjectRef::new(service_entry(), entry["metadata"]["namespace"].as_str(), name);
    Ok(cluster::get::<Value>(&object, Some(THERE))?.is_some())
}

impl Default for Config {
    fn default() -> Self {
        Self { timeout_seconds: 2 }
    }
}

#[cfg(test)]
mod tests;
