//! Installs, upgrades, repairs and removes Istio.
//!
//! ```text
//!   oldest subject? ─► spec valid? ─► another party's Istio? ─► which version? ─► upgrade allowed?
//!        ─► merge: IstioOperator ─► render ─► complete ─► steps: definitions ─► control plane ─► gateways
//! ```
//!
//! Behaviour: Kyma's installation reconciler, whose `IstioManager` chooses among `IstioClient`s as
//! `client.rs` does among renderers. A refusal changes nothing: existing objects stay, and the
//! condition `IstioInstalled` gives the reason.

mod client;
mod config;
mod definitions;
mod environment;
mod merge;
mod nodes;
mod objects;
mod refusal;
mod sidecars;
mod spec;
mod steps;
mod uninstall;
mod webhooks;

use mizzen_istio_api::{Version, oldest, plane};
use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use serde_json::Value;

pub use config::Config;
pub use environment::{Provider, Size};

use client::Client;
use refusal::Refusal;

/// The reconciler.
#[derive(Debug)]
pub struct Installation;

impl Reconciler for Installation {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Installs, upgrades, repairs and removes Istio";
        let istio = Kind::new("mizzen.dev/v1alpha1", "Istio");
        let description =
            Description::new("installation", env!("CARGO_PKG_VERSION"), summary, istio).renderer("istio").finalizes();
        let description = plane::declare_all(nodes::declare(oldest::declare(description)));
        let description = webhooks::declare(definitions::declare(description));
        uninstall::declare(sidecars::declare(objects::declare(description)))
    }

    fn reconcile(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        install(request).or_else(Refusal::into_outcome)
    }

    fn finalize(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        uninstall::outcome(request)
    }
}

mizzen_sdk::export!(Installation);

fn install(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Refusal> {
    if let Some(older) = oldest::instead_of(subject)? {
        return Ok(oldest::outcome(&older));
    }
    let spec = spec::validate(&subject.spec)?;
    let planes = plane::control_planes()?;
    let foreign = !planes.is_empty() && !planes.iter().any(plane::Workload::is_ours);
    if foreign && !config.adopt {
        return Ok(plane::judge(&planes, config.supported));
    }
    let client = Client::choose(config)?;
    may_follow(client.version, config)?;
    let (size, provider) = nodes::read()?;
    let (size, provider) = (config.size.unwrap_or(size), config.provider.unwrap_or(provider));
    let inputs = merge::Inputs { config, spec: &spec, version: client.version, size, provider };
    let rendered = client.render(&merge::istio_operator(&inputs))?;
    let definitions = definitions::read(&rendered, client.version)?;
    let objects = objects::complete(rendered, client.version, config, &subject.metadata)?;
    Ok(steps::outcome(objects, &definitions, config, &client.version.to_string())?)
}

/// Whether an upgrade to this version is allowed from every installed part: the control plane, the
/// CNI plugin and this reconciler's gateways, each by its image. Gateways that users created are
/// theirs to update.
fn may_follow(version: Version, config: &Config) -> Result<(), Refusal> {
    let there = plane::workloads(&config.namespace)?;
    for container in ["discovery", "install-cni", "istio-proxy"] {
        for workload in there.iter().filter(|own| container != "istio-proxy" || own.is_ours()) {
            let from = workload.version(container).unwrap_or(version);
            from.to(version).map_err(|why| Refusal::Version(workload.to_string(), why))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
