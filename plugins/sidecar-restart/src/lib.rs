//! Restarts workloads whose sidecars differ from what the mesh's injector would inject, or that
//! should have one and have none.
//!
//! ```text
//!   injector's ConfigMaps, subject, configuration ─► Expected ─┐
//!   pods, one by one ─► rules · injection ─► finding ──────────┴─► workloads: one entry per owner
//!                                                                     └─► restart · wait · report why not
//! ```
//!
//! Behaviour: Kyma's sidecar restart (its rules, owners, condition and reasons), judged by each pod
//! rather than by what was last applied. Pods are read page by page; memory grows with the
//! workloads that need a restart, not with the cluster's pods.
//!
//! A restart without effect (the injector was not updated yet, or has other settings) is not
//! repeated: the status names the workload. To retry, remove the annotation
//! `mizzen.dev/sidecar-restarted-for` from its template.

mod config;
mod expected;
mod image;
mod injection;
mod injector;
mod mesh;
mod pod;
mod report;
mod resources;
mod rules;

use mizzen_istio_api::Spec;
use mizzen_sdk::{AccessError, Description, Failure, Kind, Outcome, Query, Reconciler, Request, cluster};
use mizzen_workloads::{Finding, NEVER, Restarts};

pub use config::{Config, Defaults};
pub use pod::MARK;

use expected::Expected;
use injection::Namespaces;
use pod::Pod;
use report::Names;
use rules::Wrong;

/// The reconciler.
#[derive(Debug)]
pub struct SidecarRestart;

impl Reconciler for SidecarRestart {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Restarts workloads whose sidecars differ from what the mesh would inject";
        let istio = Kind::new("mizzen.dev/v1alpha1", "Istio");
        let description = Description::new("sidecar-restart", env!("CARGO_PKG_VERSION"), summary, istio);
        let description = injector::declare(injection::declare(pod::declare(description)));
        mizzen_workloads::declare(description, MARK)
    }

    fn reconcile(Request { subject, config, .. }: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let Some(expected) = Expected::read(&subject.spec, config)? else {
            return Ok(report::unknown(&config.namespace));
        };
        let digest = expected.digest();
        let mut restarts = Restarts::new(MARK, &digest, &config.pace);
        judge(&expected, config, &mut restarts)?;
        let decision = restarts.decide()?;
        // Another CRD has no fields for names in its status, and would refuse them.
        let names = if subject.api_version.starts_with("mizzen.dev/") { Names::InStatus } else { Names::Omitted };
        Ok(report::decided(decision, &expected, names))
    }
}

mizzen_sdk::export!(SidecarRestart);

/// Judges every pod once.
fn judge(expected: &Expected, config: &Config, restarts: &mut Restarts<'_>) -> Result<(), AccessError> {
    let namespaces = Namespaces::read(config)?;
    for pod in cluster::scan::<Pod>(&Query::of(pod::pod()).fields(pod::PODS))? {
        let pod = pod?;
        if !pod.is_live() || namespaces.skips(&pod.metadata.namespace) {
            continue;
        }
        let wrong = wrong(&pod, expected, &namespaces, config);
        if wrong.is_empty() {
            continue;
        }
        let ready = pod.is_ready();
        let pod::Metadata { name, namespace, uid, owner_references, annotations, .. } = pod.metadata;
        let excluded = annotations.restart.as_deref() == Some(NEVER) || namespaces.excludes(&namespace);
        let (what, causes, mark) = (&*wrong.what, &*wrong.causes, annotations.mark.as_deref());
        let finding = Finding { what, causes, ready, excluded, mark };
        restarts.add(mizzen_workloads::Pod { namespace, name, uid, owners: owner_references }, &finding);
    }
    Ok(())
}

/// What is wrong with a pod; empty if nothing is.
fn wrong(pod: &Pod, expected: &Expected, namespaces: &Namespaces<'_>, config: &Config) -> Wrong {
    let annotations = &pod.metadata.annotations;
    if annotations.status.is_none() {
        let missing = config.missing_sidecars && namespaces.injects(pod);
        return if missing { Wrong::new("sidecar", "it has no sidecar") } else { Wrong::default() };
    }
    match annotations.revision.as_deref() {
        // Another control plane's sidecar, unless the pod was moved to this one.
        Some(other) if other != config.revision => {
            if !namespaces.injects(pod) {
                return Wrong::default();
            }
            Wrong::new("revision", &format!("its sidecar is of revision {other}, not {}", config.revision))
        }
        _ => rules::differences(pod, expected),
    }
}

#[cfg(test)]
mod tests;
