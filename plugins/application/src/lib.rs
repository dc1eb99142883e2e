//! The objects of each application (an OAM `ApplicationConfiguration`): the Gateway of all its
//! traits, the policy of who may call it, and the scraping of its metrics.
//!
//! The objects of each trait belong to [`application-ingress`](../../application-ingress).

mod access;
mod config;
mod gateway;
mod monitor;
mod pods;
mod spec;

use mizzen_oam_api::Membership;
use mizzen_sdk::{AccessError, Description, Failure, Outcome, Reconciler, Request, cluster};
use serde_json::Value;

pub use config::{Account, Config};

/// The reconciler.
#[derive(Debug)]
pub struct Application;

/// The condition that reports whether the application is part of the mesh.
const MESHED: &str = "Meshed";
/// Why metrics are not scraped.
const UNWATCHED: &str =
    "the Prometheus operator's CRDs are not installed yet: install it, or no metrics of the application are scraped";

impl Reconciler for Application {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Publishes an application, restricts who may call it, and has its metrics scraped";
        let description =
            Description::new("application", env!("CARGO_PKG_VERSION"), summary, mizzen_oam_api::application());
        mizzen_oam_api::declare(pods::declare(gateway::declare(description)))
            .applies(access::service_account(), "the account of the application's pods")
            .applies(mizzen_oam_api::authorization_policy(), "who may call the application")
            .applies(monitor::service_monitor(), "lets Prometheus scrape the application's metrics")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let meta = &subject.metadata;
        let namespace =
            meta.namespace.as_deref().ok_or_else(|| Failure::invalid("an application needs a namespace"))?;
        let parsed = spec::application(&meta.name).and_then(|app| Ok((app, spec::components(&subject.spec)?)));
        let (app, components) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                let why = error.to_string();
                return Ok(Outcome::failed(&why).condition(MESHED, Some(false), "Invalid", why));
            }
        };
        if !cluster::serves(&mizzen_oam_api::gateway()) {
            return Ok(Outcome::progressing("Istio's CRDs are not installed yet"));
        }
        let membership = mizzen_oam_api::membership(namespace)?;
        let pods = pods::read(namespace, app)?;
        let (mut objects, mut problems) = (Vec::new(), Vec::new());
        objects.push(access::account(namespace, app));
        if membership == Membership::InMesh {
            // Without sidecars there are no principals, and nothing would enforce the policy.
            objects.push(access::policy(config, namespace, app, &pods));
            problems.extend(access::problem(app, &pods));
        }
        let monitors = monitor::monitors(config, (namespace, app), &components, &pods, membership);
        let unwatched = !monitors.is_empty() && !cluster::serves(&monitor::service_monitor());
        // An outcome with an object of a kind that is not served is refused as a whole, including
        // the Gateway and the policy.
        objects.extend(monitors.into_iter().filter(|_| !unwatched));
        match gateway::wanted(config, namespace, app) {
            Ok(gateway) => {
                objects.extend(gateway.object);
                problems.extend(gateway.problems);
            }
            // Without desired objects, because traits are not known: the existing Gateway stays.
            Err(AccessError::NotServed(_)) => {
                let why = "IngressTraits are not served yet";
                return Ok(Outcome::progressing(why).desire_so_far(objects).condition(MESHED, None, "Waiting", why));
            }
            Err(error) => return Err(error.into()),
        }
        if unwatched {
            problems.push(UNWATCHED.to_owned());
            let why = problems.join("; ");
            let outcome = Outcome::progressing(&why).desire_so_far(objects);
            return Ok(outcome.condition(MESHED, Some(false), "PrometheusOperatorMissing", why));
        }
        Ok(judge(&problems).desire(objects))
    }
}

mizzen_sdk::export!(Application);

/// A warning suffices: a fault of one trait or pod does not stop the others.
fn judge(problems: &[String]) -> Outcome {
    if problems.is_empty() {
        return Outcome::ready().condition(MESHED, Some(true), "Meshed", "published, protected and monitored");
    }
    let why = problems.join("; ");
    Outcome::warning(&why).condition(MESHED, Some(false), "NeedsAttention", why)
}

#[cfg(test)]
mod tests;
