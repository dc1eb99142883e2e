//! Lets workloads reach the external hosts that an `ExternalHosts` lists, in a mesh where Istio
//! blocks every host that it does not know (`REGISTRY_ONLY`).
//!
//! Behaviour: the entries that Dynatrace's operator makes for its own hosts, for any hosts. A
//! target in several lists is in the entries of the oldest list only, with the ports of all: Istio
//! would use just one of several entries. Invalid lines of other lists are skipped. A target in an
//! entry that belongs to no list, e.g. a DynaKube's, is left to that entry.

mod claims;
#[cfg(not(target_arch = "wasm32"))]
mod definition;
mod foreign;
mod listed;
mod spec;

use mizzen_istio_egress::{
    Endpoints, Grouping, Prefix, Refusal, Scope, Visibility, objects, service_entry, virtual_service,
};
use mizzen_sdk::{Description, Failure, Kind, Outcome, Query, Reconciler, Request, Subject, cluster};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use claims::{Claims, Other};
#[cfg(not(target_arch = "wasm32"))]
pub use definition::crd;
use foreign::Yielded;
use listed::{Invalid, Listed};
pub use spec::{ExternalHost, Spec, Status};

/// The reconciler.
#[derive(Debug)]
pub struct EgressHosts;

/// The configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which workloads' traffic is allowed: `Namespace`: those in the list's own namespace; `Mesh`:
    /// all of the mesh. With `Mesh`, every author of a list decides for the whole mesh.
    pub visibility: Visibility,
}

const HOSTS: &str = "hosts";

/// The condition that reports whether the list is in force.
const ALLOWED: &str = "Allowed";

/// The kind of the subjects.
fn external_hosts() -> Kind {
    Kind::new("mizzen.dev/v1alpha1", "ExternalHosts")
}

impl Reconciler for EgressHosts {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Lets the mesh reach external hosts";
        let itself = Description::new("egress-hosts", env!("CARGO_PKG_VERSION"), summary, external_hosts());
        foreign::declare(itself)
            .reads_fields(
                HOSTS,
                external_hosts(),
                &["spec.hosts", "metadata.creationTimestamp"],
                "other lists, so that no host is in two entries",
            )
            .applies(service_entry(), "the hosts and addresses that the mesh may reach")
            .applies(virtual_service(), "routes that send traffic for a host to that host")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let (prefix, mut listed) = match read(subject) {
            Ok(read) => read,
            // Existing entries stay: an invalid list does not remove them.
            Err(invalid) => return Ok(refused(&invalid)),
        };
        let others = others(subject, config.visibility)?;
        if !(cluster::serves(&service_entry()) && cluster::serves(&virtual_service())) {
            let why = "Istio's CRDs are not installed yet";
            return Ok(Outcome::progressing(why).condition(ALLOWED, None, "IstioMissing", why));
        }
        let namespace = subject.metadata.namespace.clone().unwrap_or_default();
        let yielded = foreign::yield_to_others(&mut listed, &namespace, config.visibility)?;
        let claims = Claims::among(&listed, others);
        let scope = |part: &Option<_>| Scope {
            namespace: namespace.clone(),
            prefix: prefix.clone(),
            part: part.clone(),
            labels: [(foreign::MADE_BY.0.into(), foreign::MADE_BY.1.into())].into(),
            visibility: config.visibility,
            grouping: Grouping::ByPorts,
        };
        let objects: Vec<_> = claims.own.iter().flat_map(|(part, own)| objects(&scope(part), own)).collect();
        Ok(report(&claims, &yielded, &objects).desire(objects))
    }
}

mizzen_sdk::export!(EgressHosts);

fn read(subject: &Subject<Value>) -> Result<(Prefix, Listed), Invalid> {
    let prefix = Prefix::parse(&subject.metadata.name).map_err(|error| Invalid::new("metadata.name", error))?;
    Ok((prefix, Listed::read(&subject.spec)?))
}

fn refused(invalid: &Invalid) -> Outcome {
    Outcome::failed(invalid.to_string()).condition(ALLOWED, Some(false), "Invalid", invalid.to_string())
}

/// All lists that could name the same hosts for the same workloads, including this one.
fn others(subject: &Subject<Value>, visibility: Visibility) -> Result<Vec<Other>, Failure> {
    let mut query = Query::of(external_hosts()).fields(HOSTS);
    if let (Visibility::Namespace, Some(own)) = (visibility, &subject.metadata.namespace) {
        query = query.namespace(own);
    }
    let mut others: Vec<Other> = cluster::list(&query)?;
    let own = |other: &Other| {
        (&other.metadata.namespace, &*other.metadata.name) == (&subject.metadata.namespace, &*subject.metadata.name)
    };
    // A subject that is not in the store yet is the youngest.
    if !others.iter().any(own) {
        others.push(Other::youngest(subject));
    }
    for other in &mut others {
        other.own = own(other);
    }
    Ok(others)
}

fn report(claims: &Claims, yielded: &Yielded, objects: &[Value]) -> Outcome {
    let entries: Vec<_> = objects.iter().filter(|object| object["kind"] == "ServiceEntry").collect();
    let targets: usize = claims.own.iter().map(|(_, own)| Endpoints::len(own)).sum();
    let refused = claims.refused.iter().map(Refusal::to_string);
    let mut messages: Vec<_> = refused.chain(yielded.missing.iter().cloned()).collect();
    let clash = !messages.is_empty();
    let outcome = if clash { Outcome::warning(messages.join("; ")) } else { Outcome::ready() };
    messages.push(format!("{targets} in {} entries", entries.len()));
    messages.extend(claims.elsewhere.iter().map(|(target, by)| format!("{target} is in an entry of {by}")));
    messages.extend(yielded.elsewhere.iter().map(|(target, by)| format!("{target} is in {by}")));
    let status = json!({
        "targets": targets,
        "entries": entries.iter().map(|entry| &entry["metadata"]["name"]).collect::<Vec<_>>(),
    });
    let reason = if clash { "Clash" } else { "Allowed" };
    outcome.condition(ALLOWED, Some(!clash), reason, messages.join("; ")).status(status)
}

impl Default for Config {
    fn default() -> Self {
        Self { visibility: Visibility::Namespace }
    }
}

#[cfg(test)]
mod tests;
