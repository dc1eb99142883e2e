//! Publishes ExposedAPIs (TM Forum ODA Canvas) through the mesh: a VirtualService each, a ServiceMonitor for those that are metrics,
//! and a status that says where the API is reached and whether something stands behind it.
//!
//! Ready when at least one endpoint of the implementation is.

mod reads;
mod spec;
mod wants;

use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use spec::{ApiType, Spec};

/// The reconciler.
#[derive(Debug)]
pub struct ApiOperator;

/// What the operator decides.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The Gateway that APIs are published on: `namespace/name`, or the name of one in the API's own namespace.
    pub gateway: String,
    /// The host of APIs that name none; default: any, at the load balancer's address.
    pub public_hostname: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    api_status: ApiStatus<'a>,
    implementation: Implementation,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiStatus<'a> {
    name: &'a str,
    path: &'a str,
    port: i64,
    implementation: &'a str,
    url: Option<String>,
    #[serde(rename = "developerUI")]
    developer_ui: Option<String>,
    ip: Option<&'a str>,
}

#[derive(Serialize)]
struct Implementation {
    ready: bool,
}

impl Reconciler for ApiOperator {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let api = Kind::new("oda.tmforum.org/v1", "ExposedAPI");
        let summary = "Publishes APIs through the mesh, and says where they are and whether they are ready";
        reads::declare(Description::new("api-operator", env!("CARGO_PKG_VERSION"), summary, api))
            .applies(wants::virtual_service_kind(), "the API's route")
            .applies(wants::service_monitor_kind(), "has metrics scraped")
    }

    fn reconcile(Request { subject, config, .. }: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let (spec, meta) = (&subject.spec, &subject.metadata);
        spec.validate()?;
        let namespace = meta.namespace.as_deref().ok_or_else(|| Failure::invalid("an API lives in a namespace"))?;
        let ready = reads::any_endpoint_ready(namespace, &spec.implementation)?;
        let address = reads::address()?;
        let listener = reads::listener(&config.gateway, namespace)?;
        let hostname = spec.hostname.as_deref().or(config.public_hostname.as_deref());
        let base = hostname.or(address.as_deref()).zip(listener).map(|(host, listener)| listener.base(host));
        let below = |path: &str| base.as_ref().map(|base| format!("{base}{path}"));
        let status = Status {
            api_status: ApiStatus {
                name: &meta.name,
                path: &spec.path,
                port: spec.port,
                implementation: &spec.implementation,
                url: below(&spec.path),
                developer_ui: spec
                    .developer_ui
                    .as_deref()
                    .and_then(|ui| if ui.starts_with('/') { below(ui) } else { Some(ui.into()) }),
                ip: address.as_deref(),
            },
            implementation: Implementation { ready },
        };
        let outcome = if ready {
            Outcome::ready()
        } else {
            Outcome::progressing(format!("no endpoint of Service {} is ready", spec.implementation))
        };
        let monitor = spec.api_type.is_metrics().then(|| wants::service_monitor(spec, namespace, &meta.name));
        let route = wants::virtual_service(spec, namespace, &meta.name, hostname, &config.gateway);
        Ok(outcome.desire([route]).desire(monitor).status(status))
    }
}

mizzen_sdk::export!(ApiOperator);

impl Default for Config {
    fn default() -> Self {
        Self { gateway: "canvas/component-gateway".into(), public_hostname: None }
    }
}

#[cfg(test)]
mod tests;
