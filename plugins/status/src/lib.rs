//! Sums up how far the mesh has come: Kyma's `state` and `description`, and the condition `Ready` with Kyma's reasons.
//!
//! What it sums up are the conditions that the host keeps for each reconciler on the subject (`mizzen.dev/<name>`). They also tell of
//! those that are held back, which no order could: a reconciler that comes after others runs when all of them have answered, and behind
//! an installation that fails most never do. So this one stands in no order, and is asked whenever one of the conditions changes. For
//! the same reason it can tell of a deletion until the last of the others has let the subject go.
//!
//! Its answer depends on the conditions of others alone, never on its own: a converged mesh is told of once.

mod standing;

use mizzen_istio_api::{State, Status};
use mizzen_sdk::{Description, Failure, Kind, ObjectRef, Outcome, Query, Reconciler, Request, Subject, cluster};
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
    /// The names of the reconcilers that make the mesh, in the order in which their words are told.
    #[schemars(length(min = 1))]
    pub reconcilers: Vec<String>,
}

const CONDITIONS: &str = "conditions";
const AGE: &str = "age";

/// The subject, with what its request leaves out.
#[derive(Deserialize)]
struct Mesh {
    metadata: Metadata,
    #[serde(default)]
    status: Conditions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    /// As Kubernetes writes times: their texts are in the order of the times.
    creation_timestamp: String,
    generation: Option<i64>,
    finalizers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conditions {
    conditions: Vec<Condition>,
}

fn istio() -> Kind {
    Kind::new("mizzen.dev/v1alpha1", "Istio")
}

impl Reconciler for Sum {
    type Spec = Value;
    type Config = Config;

    fn describe() -> Description {
        let each = |field: &str| format!("status.conditions[*].{field}");
        let of_conditions = ["type", "status", "reason", "message", "observedGeneration"].map(each);
        let mut paths: Vec<_> = of_conditions.iter().map(String::as_str).collect();
        paths.extend(["metadata.generation", "metadata.finalizers"]);
        Description::new("status", env!("CARGO_PKG_VERSION"), "How far the mesh has come, in one word", istio())
            .reads_fields(CONDITIONS, istio(), &paths, "to sum up what each reconciler says of it")
            .reads_fields(AGE, istio(), &["metadata.creationTimestamp"], "to tell which one counts")
            .finalizes()
    }

    fn reconcile(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let mesh = read(&request.subject)?;
        let standing = match older_than(&request.subject)? {
            Some(older) => Standing::superseded(&older),
            None => Standing::sum(&request.config.reconcilers, &mesh.status.conditions, mesh.metadata.generation),
        };
        Ok(tell(Outcome::ready(), standing, &mesh))
    }

    fn finalize(request: &Request<Value, Config>) -> Result<Outcome, Failure> {
        let mesh = read(&request.subject)?;
        let holds =
            |name: &&String| mesh.metadata.finalizers.iter().any(|own| own.strip_prefix("mizzen.dev/") == Some(name));
        let holding: Vec<_> = request.config.reconcilers.iter().filter(holds).cloned().collect();
        if holding.is_empty() {
            return Ok(Outcome::ready());
        }
        let names = holding.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let standing = Standing::leaving(&holding, &mesh.status.conditions, mesh.metadata.generation);
        Ok(tell(Outcome::progressing(format!("waits until {names} let it go")), standing, &mesh))
    }
}

mizzen_sdk::export!(Sum);

fn read(subject: &Subject<Value>) -> Result<Mesh, Failure> {
    let own = ObjectRef::new(istio(), subject.metadata.namespace.as_deref(), &subject.metadata.name);
    // It was there when the question was asked: that it is gone will be told by not asking again.
    cluster::get(&own, Some(CONDITIONS))?.ok_or_else(|| Failure::retry("the subject is not there"))
}

/// The object that counts instead of the subject, as `namespace/name`: the oldest of the cluster.
fn older_than(subject: &Subject<Value>) -> Result<Option<String>, Failure> {
    let all = cluster::list::<Mesh>(&Query::of(istio()).fields(AGE))?;
    let oldest = all.iter().map(|mesh| &mesh.metadata).min_by_key(|metadata| metadata.age());
    let own = (subject.metadata.namespace.as_deref().unwrap_or_default(), &*subject.metadata.name);
    Ok(oldest
        .map(|oldest| (&*oldest.namespace, &*oldest.name))
        .filter(|oldest| *oldest != own)
        .map(|(namespace, name)| format!("{namespace}/{name}")))
}

fn tell(outcome: Outcome, standing: Standing, mesh: &Mesh) -> Outcome {
    let Standing { state, reason, description } = standing;
    let ready = match state {
        State::Ready => Some(true),
        State::Processing | State::Deleting => None,
        State::Warning | State::Error => Some(false),
    };
    let status = Status {
        state: Some(state),
        description: Some(description.clone()),
        observed_generation: mesh.metadata.generation,
        ..Status::default()
    };
    outcome.condition("Ready", ready, &reason, description).status(status)
}

impl Metadata {
    fn age(&self) -> (&str, &str, &str) {
        (&self.creation_timestamp, &self.namespace, &self.name)
    }
}

#[cfg(test)]
mod tests;
