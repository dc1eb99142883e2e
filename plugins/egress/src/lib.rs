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
use claims::{Plan, Step};
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

/// What is read of an entry: where it leads.
const ENTRY: [&str; 4] = ["spec.hosts", "spec.addresses", "spec.ports[*].number", "spec.ports[*].protocol"];

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
            .reads_fields(THERE, service_entry(), &ENTRY, "whether the way to the API is open already")
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
            // Under such a name there never were any entries.
            Err(error) => return Ok(conditions::unreadable(&format!("`metadata.name`: {error}"), &known, &[])),
        };
        let api = match Api::parse(&spec.api_url) {
            Ok(api) => api,
            Err(error) => {
                let standing = standing(subject.metadata.namespace.as_deref(), &prefix)?;
                return Ok(conditions::unreadable(&format!("`spec.apiUrl`: {error}"), &known, &standing));
            }
        };
        if !(cluster::serves(&service_entry()) && cluster::serves(&virtual_service())) {
            let standing = standing(subject.metadata.namespace.as_deref(), &prefix)?;
            return Ok(conditions::without_istio(&known, &standing));
        }
        // This host may be in the mesh itself: what it asks for would not come through before the way is open.
        let first = Plan::make(&kubes, &subject.metadata, &prefix, spec, &known);
        if let Some(step) = missing(&first)? {
            return Ok(conditions::opening(&first, step, &known).desire_so_far(first.objects()));
        }
        let answers = Answers::ask(&api, spec, config, known);
        let plan = Plan::make(&kubes, &subject.metadata, &prefix, spec, &answers);
        let outcome = conditions::told(&plan, &answers).requeue_after(answers.ask_again().unwrap_or(UNCHANGED));
        let complete = is_complete(&plan, &answers)?;
        Ok(if complete { outcome.desire(plan.objects()) } else { outcome.desire_so_far(plan.objects()) })
    }
}

mizzen_sdk::export!(Egress);

/// What the way to the API lacks: an entry of the right name may still be that of the API, or of the proxy, that was named before.
fn missing(plan: &Plan) -> Result<Option<&Step>, Failure> {
    for step in plan.way() {
        let (namespace, name) = step.entry_name();
        if !entry(Some(namespace), name)?.is_some_and(|there| step.is_made_by(&there)) {
            return Ok(Some(step));
        }
    }
    Ok(None)
}

/// The components of which entries are in the cluster.
fn standing(namespace: Option<&str>, prefix: &Prefix) -> Result<Vec<Component>, Failure> {
    let mut standing = Vec::new();
    if cluster::serves(&service_entry()) {
        for component in Component::ALL {
            if has_entries(namespace, prefix, component)? {
                standing.push(component);
            }
        }
    }
    Ok(standing)
}

/// Whether all is known that the mesh is to reach, so that what is not among it may go. "Nothing" from an API that never answered anything
/// else is that, unless there are entries of an answer that nobody remembers.
fn is_complete(plan: &Plan, answers: &Answers) -> Result<bool, Failure> {
    for (component, answer) in answers.each() {
        if answer.is_unknown() {
            return Ok(false);
        }
        if answer.is_nothing() && has_entries(Some(plan.namespace()), plan.prefix(), component)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has_entries(namespace: Option<&str>, prefix: &Prefix, component: Component) -> Result<bool, Failure> {
    for name in claims::names_of(prefix, component) {
        if entry(namespace, &name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn entry(namespace: Option<&str>, name: &str) -> Result<Option<Value>, Failure> {
    Ok(cluster::get(&ObjectRef::new(service_entry(), namespace, name), Some(THERE))?)
}

impl Default for Config {
    fn default() -> Self {
        Self { timeout_seconds: 2 }
    }
}

#[cfg(test)]
mod tests;
