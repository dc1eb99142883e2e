//! Runs reconcilers natively against YAML, as strictly as the host runs them. A read that was not
//! declared is denied, a field set returns only its own fields, and an outcome that the host would
//! refuse ends the test: whatever is missing in `describe` is found here.
//!
//! What only an API server knows is not checked: grants, whether a kind is namespaced, what its
//! schema allows.

mod accept;
mod cluster;
mod fail;
pub(crate) mod host;
mod servers;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;

use mizzen_model::yaml;
use serde_json::Value;

pub use cluster::Cluster;
use fail::fail;
pub use table::rows;

use crate::Reconciler;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::request::{Predecessor, Request};

/// Calls `reconcile` for a subject (YAML), with a configuration.
///
/// # Errors
/// The reconciler's own failure, or a subject or configuration that does not fit its types.
///
/// # Panics
/// If the host would refuse the outcome, e.g. for an object of a kind that was not declared.
pub fn reconcile<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    call::<R>(cluster, subject, config, Vec::new(), R::reconcile)
}

/// Calls [`reconcile`] with the readiness of predecessors.
///
/// # Errors
/// As [`reconcile`].
///
/// # Panics
/// As [`reconcile`].
pub fn reconcile_after<R: Reconciler>(
    predecessors: Vec<Predecessor>,
    cluster: &Cluster,
    subject: &str,
    config: &Value,
) -> Result<Outcome, Failure> {
    call::<R>(cluster, subject, config, predecessors, R::reconcile)
}

/// Calls `finalize` for a subject.
///
/// # Errors
/// As [`reconcile`].
///
/// # Panics
/// As [`reconcile`], and if the description does not declare `finalizes`: the host would never
/// call it.
pub fn finalize<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    if !R::describe().finalizes {
        fail("`describe` does not declare `finalizes`: the host would never call it");
    }
    call::<R>(cluster, subject, config, Vec::new(), R::finalize)
}

fn call<R: Reconciler>(
    cluster: &Cluster,
    subject: &str,
    config: &Value,
    predecessors: Vec<Predecessor>,
    function: impl Fn(&Request<R::Spec, R::Config>) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let documents = yaml::parse(Path::new("subject"), subject).map_err(|error| Failure::invalid(error.to_string()))?;
    let subject = documents.first().ok_or_else(|| Failure::invalid("the subject is missing"))?;
    let request = Request::parse(&subject.value.to_string(), &config.to_string(), predecessors)?;
    let description = R::describe();
    let outcome = host::serving(cluster, &description, || function(&request))?.checked()?;
    if let Err(refusal) = accept::accept(&description, &outcome) {
        fail(&format!("the host would refuse this outcome: {refusal}"));
    }
    Ok(outcome)
}
