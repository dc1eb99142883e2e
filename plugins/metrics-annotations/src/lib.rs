//! Has the metrics of ExposedAPIs scraped by annotations of Pods: DataDog's, or `prometheus.io`'s.
//!
//! The annotations are in the Pod template of the Deployments and StatefulSets behind an API's
//! Service: on live Pods they would be lost with them. They are removed when the API is deleted,
//! when it stops serving metrics, or when its Service selects another workload. An annotation of
//! the workload itself names the API whose metrics it serves, so no other state is needed, and of
//! two APIs that want the same workload the first keeps it and the other reports that.
//!
//! A separate reconciler from `api-operator`: only users of annotations grant the rights to
//! workloads, and have a finalizer.

mod annotations;
mod reads;
#[cfg(test)]
mod tests;

use mizzen_oda_api::{Backend, Spec};
use mizzen_sdk::{Description, Failure, Outcome, Patch, Reconciler, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use annotations::Style;
use reads::Workload;

/// The reconciler.
#[derive(Debug)]
pub struct MetricsAnnotations;

/// The configuration.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The scraper that reads the annotations.
    pub style: Style,
    /// The pace at which workloads are annotated, which restarts their Pods. Default: all at once.
    pub pace: Option<String>,
}

impl Reconciler for MetricsAnnotations {
    type Spec = Spec;
    type Config = Config;

    fn describe() -> Description {
        let summary = "Has metrics of APIs scraped by annotations of their Pods";
        let name = "metrics-annotations";
        let itself = Description::new(name, env!("CARGO_PKG_VERSION"), summary, mizzen_oda_api::exposed_api());
        reads::declare(itself).finalizes()
    }

    fn reconcile(request: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        let namespace = namespace(request)?;
        let spec = &request.subject.spec;
        if !spec.api_type.is_metrics() {
            return release(request, Outcome::ready());
        }
        let Some(backend) = Backend::of(namespace, spec)? else {
            // Nothing is removed while a Service is being replaced: that would restart its Pods
            // twice.
            return Ok(Outcome::progressing(format!(
                "Service {} with port {} does not exist",
                spec.implementation, spec.port
            )));
        };
        let (mut patches, mut taken, mut behind) = (Vec::new(), Vec::new(), 0);
        for workload in reads::workloads(namespace)? {
            let (mine, selected) = (workload.serves(request), workload.is_behind(&backend));
            behind += usize::from(selected);
            match workload.of() {
                Some(other) if selected && !mine => taken.push(format!("{workload} serves the metrics of `{other}`")),
                _ if selected => {
                    let wanted = request.config.style.annotations(namespace, spec, &backend, &workload);
                    patches.push(patch(request, &workload, annotations::set(&request.subject.metadata.name, &wanted)));
                }
                _ if mine => patches.push(patch(request, &workload, annotations::take_back(&workload))),
                _ => {}
            }
        }
        let mut outcome = match (behind, taken.is_empty()) {
            (0, _) => {
                Outcome::progressing(format!("no Deployment or StatefulSet is behind Service {}", spec.implementation))
            }
            (_, true) => Outcome::ready(),
            (_, false) => Outcome::warning(taken.join("; ")),
        };
        outcome.patches = patches;
        Ok(outcome)
    }

    fn finalize(request: &Request<Spec, Config>) -> Result<Outcome, Failure> {
        release(request, Outcome::ready())
    }
}

/// Removes all annotations for an API.
fn release(request: &Request<Spec, Config>, mut outcome: Outcome) -> Result<Outcome, Failure> {
    let all = reads::workloads(namespace(request)?)?;
    let mine = all.iter().filter(|workload| workload.serves(request));
    outcome.patches = mine.map(|workload| patch(request, workload, annotations::take_back(workload))).collect();
    Ok(outcome)
}

fn patch(request: &Request<Spec, Config>, workload: &Workload, fragment: Value) -> Patch {
    let name = &request.subject.metadata.name;
    let patch = Patch::new(
        workload.reference(),
        fragment,
        format!("API {name}: the annotations for scraping its metrics have changed"),
    );
    match &request.config.pace {
        Some(pace) => patch.paced_by(pace),
        None => patch,
    }
}

fn namespace(request: &Request<Spec, Config>) -> Result<&str, Failure> {
    request.subject.metadata.namespace.as_deref().ok_or_else(|| Failure::invalid("an API needs a namespace"))
}

mizzen_sdk::export!(MetricsAnnotations);
