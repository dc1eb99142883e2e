//! The removal of an installation: refused while users' resources need it; then everything is
//! deleted, and workloads lose their sidecars.

use mizzen_istio_api::{oldest, plane, reasons};
use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{AccessError, Description, Failure, Kind, Outcome, Query, Request, Severity, cluster};
use mizzen_workloads::Named;
use serde::Deserialize;
use serde_json::Value;

use crate::config::Config;
use crate::{sidecars, webhooks};

/// Kinds of resources that need Istio.
const USERS: [(&str, &str); 15] = [
    ("security.istio.io/v1", "AuthorizationPolicy"),
    ("networking.istio.io/v1", "DestinationRule"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter"),
    ("networking.istio.io/v1", "Gateway"),
    ("security.istio.io/v1", "PeerAuthentication"),
    ("networking.istio.io/v1beta1", "ProxyConfig"),
    ("security.istio.io/v1", "RequestAuthentication"),
    ("networking.istio.io/v1", "ServiceEntry"),
    ("networking.istio.io/v1", "Sidecar"),
    ("telemetry.istio.io/v1", "Telemetry"),
    ("extensions.istio.io/v1alpha1", "TrafficExtension"),
    ("networking.istio.io/v1", "VirtualService"),
    ("extensions.istio.io/v1alpha1", "WasmPlugin"),
    ("networking.istio.io/v1", "WorkloadEntry"),
    ("networking.istio.io/v1", "WorkloadGroup"),
];

/// Created by users: neither by a reconciler of this host nor by Kyma's module.
const MADE_BY_USERS: &str = "!mizzen.dev/owner,kyma-project.io/module!=istio";

/// How many blocking resources are named.
const NAMED: usize = 5;

#[derive(Debug, Deserialize)]
struct Resource {
    kind: String,
    metadata: Metadata,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
}

pub(crate) fn declare(description: Description) -> Description {
    USERS.iter().fold(description, |description, (api_version, kind)| {
        let why = "Istio is not removed while users' resources need it";
        description.reads_fields(&set(kind), Kind::new(api_version, kind), &[], why)
    })
}

/// What must still be done before the subject is deleted.
pub(crate) fn outcome(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
    // A subject that is not the oldest, or an Istio of another party, leaves nothing to remove.
    if oldest::instead_of(subject)?.is_some() {
        return Ok(Outcome::ready());
    }
    let planes = plane::control_planes()?;
    if !planes.is_empty() && !planes.iter().any(plane::Workload::is_ours) {
        return Ok(Outcome::ready());
    }
    if !planes.is_empty()
        && let Some(message) = dangling()?
    {
        // Failed, not a warning: with a warning the finalizer would be removed.
        return Ok(Outcome::failed(&message).condition(reasons::INSTALLED, Some(false), reasons::DANGLING, message));
    }
    if !planes.is_empty() || webhooks::injector_is_there()? {
        return Ok(going("Istio is being removed".into()).desire([]));
    }
    let decision = sidecars::remove(config, &subject.metadata.uid)?;
    if decision.restarting.count > 0 {
        let message = format!("workloads are restarted without their sidecars: {}", decision.restarting.sentence());
        return Ok(sidecars::outcome(decision, going(message), config));
    }
    let left = [&decision.pending, &decision.manual, &decision.excluded, &decision.unhelped];
    let left: Vec<_> = left.into_iter().filter(|own| own.count > 0).map(Named::sentence).collect();
    if left.is_empty() {
        return Ok(Outcome::ready());
    }
    let message =
        format!("Istio is removed; these workloads have sidecars until they are restarted: {}", left.join(", "));
    Ok(Outcome::ready().event(Severity::Warning, "SidecarsLeft", message))
}

fn going(message: String) -> Outcome {
    Outcome::progressing(&message).condition(reasons::INSTALLED, None, reasons::GOING, message)
}

/// The message about resources that block the deletion, if there are any.
fn dangling() -> Result<Option<String>, AccessError> {
    let (mut names, mut count) = (Vec::new(), 0_usize);
    for (api_version, kind) in USERS {
        let query = Query::of(Kind::new(api_version, kind)).selector(MADE_BY_USERS).fields(&set(kind));
        let resources = match cluster::scan::<Resource>(&query) {
            Err(AccessError::NotServed(_)) => continue,
            resources => resources?,
        };
        for resource in resources {
            let Resource { kind, metadata: Metadata { name, namespace } } = resource?;
            count += 1;
            if names.len() < NAMED {
                names.push(format!("{kind} {namespace}/{name}"));
            }
        }
    }
    let listed = Listed::of_total(&names, count);
    let message = || format!("Istio is not removed while users' resources need it; delete {listed}");
    Ok((count > 0).then(message))
}

fn set(kind: &str) -> String {
    format!("users-{}", kind.to_lowercase())
}
