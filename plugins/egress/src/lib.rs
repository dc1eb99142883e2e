//! Lets the mesh reach Dynatrace, where Istio blocks every host that it does not know
//! (`REGISTRY_ONLY`): first the API that a DynaKube names, then the hosts that this API reports for
//! ActiveGate and OneAgent, which change over time.
//!
//! ```text
//! DynaKube ─► operator's entries ─► do they exist? ─► request ─► endpoints ─► divide ─► entries
//!                                    no: apply them first    │ no response, an error, no hosts
//!                                                            └─► its last response, from the DynaKube's status
//! ```
//!
//! The hosts are divided among components and DynaKubes: each is in one entry.
//!
//! Behaviour: the Istio integration of Dynatrace's operator, with its faults fixed; the tests name
//! each. The last good response is kept in the DynaKube's status, where that operator keeps it,
//! too: so it survives a restart, and each DynaKube can see what the others want.

mod api;
mod claims;
mod component;
mod conditions;
mod config;
mod connection_info;
mod dynakube;
mod hosts;
mod reported;

use std::time::Duration;

use mizzen_istio_egress::{Prefix, service_entry, virtual_service};
use mizzen_sdk::{Description, Failure, ObjectRef, Outcome, Reconciler, Request, cluster};
use serde_json::{Value, json};

use api::Api;
use claims::{Plan, Step};
use component::Component;
pub use config::Config;
use dynakube::{DynaKubes, Spec};
use reported::Reports;

/// The reconciler.
#[derive(Debug)]
pub struct Egress;

/// Interval between checks whether the API reports other hosts; responses younger than the
/// DynaKube's threshold come from the host's cache.
const UNCHANGED: Duration = Duration::from_mins(15);

/// Name of the field set of existing entries.
const THERE: &str = "there";

/// Fields of an entry that determine which hosts it allows.
const ENTRY: [&str; 4] = ["spec.hosts", "spec.addresses", "spec.ports[*].number", "spec.ports[*].protocol"];

impl Reconciler for Egress {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let why = "what other DynaKubes want, so that no host is in two entries, and the API's last response";
        Description::new("egress", env!("CARGO_PKG_VERSION"), "Lets the mesh reach Dynatrace", dynakube::kind())
            .reads_fields(dynakube::FIELDS, dynakube::kind(), &dynakube::PATHS, why)
            .reads_fields(THERE, service_entry(), &ENTRY, "whether the mesh can reach the API")
            .applies(service_entry(), "the hosts and addresses that the mesh may reach")
            .applies(virtual_service(), "routes that send traffic for a host to that host")
            .http("which hosts ActiveGate and OneAgent report to, from the Dynatrace API")
            .credential(connection_info::CREDENTIAL)
    }

    fn reconcile(Request { subject, config, .. }: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let spec = &subject.spec;
        if !spec.enable_istio {
            return Ok(Outcome::ready().desire([]).status(json!({})));
        }
        let kubes = DynaKubes::read(&subject.metadata)?;
        let known = Reports::remembered(&kubes.own().status);
        let prefix = match Prefix::parse(&subject.metadata.name) {
            Ok(prefix) => prefix,
            // No entry can have such a name.
            Err(error) => return Ok(conditions::unreadable(&format!("`metadata.name`: {error}"), &known, &[])),
        };
        let api = match Api::parse(&spec.api_url) {
            Ok(api) => api,
            Err(error) => {
                let existing = existing(subject.metadata.namespace.as_deref(), &prefix)?;
                return Ok(conditions::unreadable(&format!("`spec.apiUrl`: {error}"), &known, &existing));
            }
        };
        if !(cluster::serves(&service_entry()) && cluster::serves(&virtual_service())) {
            let existing = existing(subject.metadata.namespace.as_deref(), &prefix)?;
            return Ok(conditions::without_istio(&known, &existing));
        }
        // This host may be in the mesh itself, where its requests fail before the entry exists.
        let first = Plan::make(&kubes, &subject.metadata, &prefix, spec, &known);
        if let Some(step) = missing(&first)? {
            return Ok(conditions::opening(&first, step, &known).desire_so_far(first.objects()));
        }
        let reports = Reports::request(&api, spec, config, known);
        let plan = Plan::make(&kubes, &subject.metadata, &prefix, spec, &reports);
        let outcome = conditions::summary(&plan, &reports).requeue_after(reports.requeue_after().unwrap_or(UNCHANGED));
        let complete = is_complete(&plan, &reports)?;
        Ok(if complete { outcome.desire(plan.objects()) } else { outcome.desire_so_far(plan.objects()) })
    }
}

mizzen_sdk::export!(Egress);

/// Which entry for the API or the proxy is missing: an entry of that name may still be one for an
/// earlier API or proxy.
fn missing(plan: &Plan) -> Result<Option<&Step>, Failure> {
    for step in plan.way() {
        let (namespace, name) = step.entry_name();
        if !entry(Some(namespace), name)?.is_some_and(|there| step.is_met_by(&there)) {
            return Ok(Some(step));
        }
    }
    Ok(None)
}

/// The components that have entries in the cluster.
fn existing(namespace: Option<&str>, prefix: &Prefix) -> Result<Vec<Component>, Failure> {
    let mut existing = Vec::new();
    if cluster::serves(&service_entry()) {
        for component in Component::ALL {
            if has_entries(namespace, prefix, component)? {
                existing.push(component);
            }
        }
    }
    Ok(existing)
}

/// Whether the complete set of hosts is known, so that others can be pruned. It is, if the API has
/// never reported any host, unless entries exist whose response is not in the status.
fn is_complete(plan: &Plan, reports: &Reports) -> Result<bool, Failure> {
    for (component, report) in reports.each() {
        if report.is_unknown() {
            return Ok(false);
        }
        if report.has_no_hosts() && has_entries(Some(plan.namespace()), plan.prefix(), component)? {
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

#[cfg(test)]
mod tests;
