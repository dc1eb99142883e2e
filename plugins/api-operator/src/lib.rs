//! Publishes the APIs of the TM Forum ODA Canvas through the mesh: a VirtualService each, a
//! ServiceMonitor for APIs that serve metrics, a rate limit in the sidecars where an API has one,
//! and a status with the API's URL, whether its implementation is ready, which other routes match
//! its path, and which of its fields have no effect.
//!
//! Its subject is ExposedAPI `v1` unless the configuration names `v1beta4`, `v1beta3` or the
//! predecessor `API`. Ready when at least one endpoint of the implementation is ready.

mod address;
mod api;
mod config;
mod cors;
mod expression;
mod implementation;
mod metrics;
mod overlap;
mod rate_limit;
mod route;
mod status;
mod support;

use mizzen_sdk::{Condition, Description, Failure, Outcome, Reconciler, Request};

use address::Address;
use api::Api;
use cors::{CorsError, Policy};
use implementation::{Endpoints, Implementation};
use overlap::Neighbours;
use rate_limit::{Limit, LimitError};
use status::Status;
use support::Waiting;

pub use config::{Config, OpenMetrics};
pub use mizzen_oda_api::Spec;

/// The reconciler.
#[derive(Debug)]
pub struct ApiOperator;

impl Reconciler for ApiOperator {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Publishes APIs through the mesh, and reports their URLs and readiness";
        let itself =
            Description::new("api-operator", env!("CARGO_PKG_VERSION"), summary, mizzen_oda_api::exposed_api());
        overlap::declare(route::declare(implementation::declare(address::declare(itself))))
            .applies(route::kind(), "the API's route")
            .applies(metrics::kind(), "lets Prometheus scrape an API's metrics")
            .applies(rate_limit::kind(), "enforces an API's rate limit in its implementation's sidecars")
    }

    fn reconcile(request: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let api = Api::of(request)?;
        let endpoints = Endpoints::of(&api)?;
        let address = Address::of(&api)?;
        let implementation = endpoints.implementation();
        let status = Status::of(&api, &address, implementation)?;
        let exclusive = Neighbours::of(&api)?.condition(&api);
        let Policies { cors, limit } = match policies(&api) {
            Ok(policies) => policies,
            Err(errors) => return Ok(refused(&errors.to_string(), exclusive).status(status)),
        };
        let mut waits = Vec::new();
        let monitor = metrics::service_monitor(&api)?.unwrap_or_else(|waiting| {
            waits.push(waiting);
            None
        });
        let mut limiter = None;
        if let Some(limit) = limit {
            match implementation::workload(&api, &endpoints)? {
                Some(workload) => limiter = Some(rate_limit::envoy_filter(&api, limit, &workload)),
                None => waits.push(waiting(&api)),
            }
        }
        let conditions = [exclusive, support::condition(&api, waits)];
        let mut outcome = verdict(&api, implementation, &conditions);
        outcome = outcome.desire([route::virtual_service(&api, cors.as_ref())]);
        outcome = outcome.desire(monitor).desire(limiter).status(status);
        outcome.conditions.extend(conditions);
        Ok(outcome)
    }
}

/// The policies of an API.
struct Policies {
    cors: Option<Policy>,
    limit: Option<Limit>,
}

/// Everything that is wrong with an API's policies, with fields.
#[derive(Debug, thiserror::Error)]
enum PolicyErrors {
    #[error(transparent)]
    Cors(CorsError),
    #[error(transparent)]
    Limit(LimitError),
    #[error("{0}; {1}")]
    Both(CorsError, LimitError),
}

fn policies(api: &Api) -> Result<Policies, PolicyErrors> {
    match (cors::policy(api.spec.cors.as_ref()), rate_limit::limit(api.spec.rate_limit.as_ref())) {
        (Ok(cors), Ok(limit)) => Ok(Policies { cors, limit }),
        (Err(cors), Ok(_)) => Err(PolicyErrors::Cors(cors)),
        (Ok(_), Err(limit)) => Err(PolicyErrors::Limit(limit)),
        (Err(cors), Err(limit)) => Err(PolicyErrors::Both(cors, limit)),
    }
}

/// The outcome for an API that can't be published. What is published stays, without the change, and
/// may still serve: the status reports whether it does.
fn refused(why: &str, exclusive: Condition) -> Outcome {
    let supported = support::refused(why);
    let mut outcome = Outcome::failed(why);
    outcome.conditions.extend([exclusive, supported]);
    outcome
}

/// What a rate limit waits for.
fn waiting(api: &Api) -> Waiting {
    let message = format!("the rate limit awaits Service {} with a selector and port {}", api.service(), api.port());
    Waiting { reason: "RateLimitPending", message }
}

/// The readiness; warnings are reported once the API is ready.
fn verdict(api: &Api, implementation: Implementation, conditions: &[Condition]) -> Outcome {
    let concerns: Vec<_> = conditions.iter().filter(|own| own.status != Some(true)).map(|own| &*own.message).collect();
    match (implementation, concerns.is_empty()) {
        (Implementation::NotReady, _) => {
            Outcome::progressing(format!("no endpoint of Service {} is ready", api.service()))
        }
        (Implementation::Ready, true) => Outcome::ready(),
        (Implementation::Ready, false) => Outcome::warning(concerns.join("; ")),
    }
}

mizzen_sdk::export!(ApiOperator);

#[cfg(test)]
mod tests;
