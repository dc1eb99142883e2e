//! Summarises the state of the mesh: Kyma's `state` and `description`, and the condition `Ready`
//! with Kyma's reasons.
//!
//! It summarises the conditions that the host writes for each reconciler on the subject
//! (`mizzen.dev/<name>`). They also report gated reconcilers, which no successor could see: a
//! successor runs only when all predecessors are ready. So this reconciler has no predecessors, and
//! is called whenever one of the conditions changes. For the same reason it can report a deletion
//! until the last of the other finalizers is removed.
//!
//! Its outcome depends only on the conditions of others, never on its own: a converged mesh is
//! reported once.

mod standing;

use mizzen_istio_api::{State, Status, oldest};
use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Reconciler, Request, Subject, cluster};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use standing::{Condition, Standing};

/// The reconciler.
#[derive(Debug)]
pub struct Sum;

/// What is summed up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The names of the summarised reconcilers, in the order of their descriptions.
    #[schemars(length(min = 1))]
    pub reconcilers: Vec<String>,
}

/// The kinds of the custom resource, this project's and Kyma's, and the names of their field sets.
const KINDS: [(&str, &str); 2] = [(OURS, "conditions"), ("operator.kyma-project.io/v1alpha2", "kyma-conditions")];
const OURS: &str = "mizzen.dev/v1alpha1";

/// The fields of the subject that its request omits.
#[derive(Deserialize)]
struct Mesh {
    metadata: Metadata,
    #[serde(default)]
    status: Conditions,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    generation: Option<i64>,
    finalizers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conditions {
    conditions: Vec<Condition>,
}

impl Reconciler for Sum {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let each = |field: &str| format!("status.conditions[*].{field}");
        let of_conditions = ["type", "status", "reason", "message", "observedGeneration"].map(each);
        let mut paths: Vec<_> = of_conditions.iter().map(String::as_str).collect();
        paths.extend(["metadata.generation", "metadata.finalizers"]);
        let (summary, version) = ("The state of the mesh, in one word", env!("CARGO_PKG_VERSION"));
        let description = Description::new("status", version, summary, Kind::new(OURS, "Istio")).finalizes();
        KINDS.iter().fold(oldest::declare(description), |description, (api_version, set)| {
            let why = "to summarise the conditions of each reconciler";
            description.reads_fields(set, Kind::new(api_version, "Istio"), &paths, why)
        })
    }

    fn reconcile(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let mesh = read(&request.subject)?;
        let standing = match oldest::instead_of(&request.subject)? {
            Some(older) => Standing::superseded(&older),
            None => Standing::sum(&request.config.reconcilers, &mesh.status.conditions, mesh.metadata.generation),
        };
        Ok(report(Outcome::ready(), standing, request, &mesh))
    }

    fn finalize(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let mesh = read(&request.subject)?;
        let has_finalizer =
            |name: &&String| mesh.metadata.finalizers.iter().any(|own| own.strip_prefix("mizzen.dev/") == Some(name));
        let remaining: Vec<_> = request.config.reconcilers.iter().filter(has_finalizer).cloned().collect();
        if remaining.is_empty() {
            return Ok(Outcome::ready());
        }
        let names = remaining.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let standing = Standing::leaving(&remaining, &mesh.status.conditions, mesh.metadata.generation);
        Ok(report(
            Outcome::progressing(format!("waits until the finalizers of {names} are removed")),
            standing,
            request,
            &mesh,
        ))
    }
}

mizzen_sdk::export!(Sum);

fn read(subject: &Subject<Value>) -> Result<Mesh, Failure> {
    let Subject { api_version, kind, metadata, .. } = subject;
    let Some((_, set)) = KINDS.iter().find(|(known, _)| known == api_version) else {
        return Err(Failure::invalid(format!("the subject is of {api_version}; write `{OURS}` or Kyma's")));
    };
    let own = ObjectRef::new(Kind::new(api_version, kind), metadata.namespace.as_deref(), &metadata.name);
    // It existed when the call began; if it is deleted now, there is no further call.
    cluster::get(&own, Some(set))?.ok_or_else(|| Failure::retry("the subject is not found"))
}

fn report(outcome: Outcome, standing: Standing, request: &Request<Value, Config>, mesh: &Mesh) -> Outcome {
    let Standing { state, reason, description } = standing;
    let ready = match state {
        State::Ready => Some(true),
        State::Processing | State::Deleting => None,
        State::Warning | State::Error => Some(false),
    };
    let status = Status {
        state: Some(state),
        description: Some(description.clone()),
        // Kyma's definition has no such field: the API server would drop it, and the host would
        // write it again and again.
        observed_generation: mesh.metadata.generation.filter(|_| request.subject.api_version == OURS),
        ..Status::default()
    };
    outcome.condition("Ready", ready, &reason, description).status(status)
}

#[cfg(test)]
mod tests;
