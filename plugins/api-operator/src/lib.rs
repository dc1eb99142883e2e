//! Publishes the APIs of the TM Forum ODA Canvas through the mesh: a VirtualService each, a ServiceMonitor for those that are metrics,
//! a limit at the sidecars of those that ask for one, and a status that says where the API is reached, whether something stands behind it,
//! who else takes its path, and what it asks for in vain.
//!
//! Its subject is ExposedAPI `v1` unless the configuration names `v1beta4`, `v1beta3` or the predecessor `API`. Ready when at least
//! one endpoint of the implementation is.

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
use implementation::Endpoints;
use overlap::Neighbours;
use status::Status;

pub use config::{Config, OpenMetrics};
pub use mizzen_oda_api::Spec;

/// The reconciler.
#[derive(Debug)]
pub struct ApiOperator;

impl Reconciler for ApiOperator {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Publishes APIs through the mesh, and says where they are and whether they are ready";
        let itself =
            Description::new("api-operator", env!("CARGO_PKG_VERSION"), summary, mizzen_oda_api::exposed_api());
        overlap::declare(route::declare(implementation::declare(address::declare(itself))))
            .applies(route::kind(), "the API's route")
            .applies(metrics::kind(), "has metrics scraped")
            .applies(rate_limit::kind(), "keeps an API's rate limit at its implementation's sidecars")
    }

    fn reconcile(request: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let api = Api::of(request)?;
        let cors = cors::policy(api.spec.cors.as_ref())?;
        let limit = rate_limit::limit(api.spec.rate_limit.as_ref())?;
        let endpoints = Endpoints::of(&api)?;
        let address = Address::of(&api)?;
        let mut waits = None;
        let mut limiter = None;
        if let Some(limit) = limit {
            match implementation::workload(&api, &endpoints)? {
                Some(workload) => limiter = Some(rate_limit::envoy_filter(&api, limit, &workload)),
                None => waits = Some(waiting(&api)),
            }
        }
        let conditions = [Neighbours::of(&api)?.condition(&api), support::condition(&api, waits)];
        let ready = endpoints.any_ready();
        let status = Status::of(&api, &address, ready)?;
        let mut outcome = verdict(&api, ready, &conditions);
        outcome = outcome.desire([route::virtual_service(&api, cors.as_ref())]);
        outcome = outcome.desire(metrics::service_monitor(&api)).desire(limiter).status(status);
        outcome.conditions.extend(conditions);
        Ok(outcome)
    }
}

/// What a rate limit waits for.
fn waiting(api: &Api) -> String {
    format!("the rate limit awaits Service {} with a selector and port {}", api.service(), api.port())
}

/// How far it has come; whatever somebody should look at is told when it serves.
fn verdict(api: &Api, ready: bool, conditions: &[Condition]) -> Outcome {
    let concerns: Vec<_> = conditions.iter().filter(|own| own.status != Some(true)).map(|own| &*own.message).collect();
    match (ready, concerns.is_empty()) {
        (false, _) => Outcome::progressing(format!("no endpoint of Service {} is ready", api.service())),
        (true, true) => Outcome::ready(),
        (true, false) => Outcome::warning(concerns.join("; ")),
    }
}

mizzen_sdk::export!(ApiOperator);

#[cfg(test)]
mod tests;
