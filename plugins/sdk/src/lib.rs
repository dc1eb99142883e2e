//! Write a reconciler in Rust.
//!
//! A reconciler is a pure function: it is given a subject and its configuration, reads the cluster
//! through [`cluster`], and returns an [`Outcome`] with the desired state. The host applies the
//! desired objects, repairs their drift, prunes those that leave the set, and calls the reconciler
//! again when an object it read changes. The same code runs natively in tests, against YAML: see
//! [`testing`].
//!
//! ```
//! use mizzen_sdk::{Description, Failure, Kind, Outcome, Reconciler, Request, object};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//! use serde_json::json;
//!
//! /// Gives every Team its own namespace.
//! pub struct Teams;
//!
//! /// The desired state of a Team.
//! #[derive(Deserialize)]
//! pub struct Spec {
//!     members: Vec<String>,
//! }
//!
//! /// What the operator decides.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! pub struct Config {
//!     /// Begins the names of all namespaces.
//!     prefix: String,
//! }
//!
//! impl Reconciler for Teams {
//!     type Spec = Spec;
//!     type Config = Config;
//!
//!     fn describe() -> Description {
//!         Description::new("teams", "0.1.0", "A namespace for each team", Kind::new("example.com/v1", "Team"))
//!             .applies(Kind::new("v1", "Namespace"), "the team's namespace")
//!     }
//!
//!     fn reconcile(request: &Request<Spec, Config>) -> Result<Outcome, Failure> {
//!         let Request { subject, config, .. } = request;
//!         if subject.spec.members.is_empty() {
//!             return Err(Failure::invalid("a team has at least one member"));
//!         }
//!         let name = format!("{}{}", config.prefix, subject.metadata.name);
//!         let namespace = object(&Kind::new("v1", "Namespace"), None, &name, json!({}));
//!         Ok(Outcome::ready().desire([namespace]).status(json!({"namespace": name})))
//!     }
//! }
//!
//! mizzen_sdk::export!(Teams);
//! # fn main() {
//! let cluster = mizzen_sdk::testing::Cluster::new();
//! let team = "{apiVersion: example.com/v1, kind: Team, metadata: {name: a}, spec: {members: [x]}}";
//! let outcome = mizzen_sdk::testing::reconcile::<Teams>(&cluster, team, &json!({"prefix": "team-"})).unwrap();
//! assert_eq!(outcome.desired.unwrap()[0]["metadata"]["name"], "team-a");
//! # }
//! ```

mod access;
mod backend;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
pub mod clock;
pub mod cluster;
mod describe;
mod failure;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
pub mod http;
mod identity;
pub mod log;
pub mod names;
mod others;
mod outcome;
mod query;
mod readiness;
pub mod renderers;
mod request;
pub mod resource;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

/// What Kubernetes means by its values: quantities, rollout status, and lists in messages.
pub use mizzen_k8s as k8s;

pub use access::AccessError;
pub use describe::{Access, Description, FieldSet, Need};
pub use failure::Failure;
pub use identity::{Kind, ObjectRef};
pub use others::{Deletion, Patch};
pub use outcome::{Condition, Event, Outcome, Severity};
pub use query::{Query, Text};
pub use readiness::Readiness;
pub use request::{Metadata, Predecessor, Request, Subject};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A reconciler: a pure function from a subject, and what it reads, to the desired state.
pub trait Reconciler {
    /// The subject's `spec`.
    type Spec: DeserializeOwned;
    /// The configuration; its JSON Schema becomes part of the description.
    type Config: DeserializeOwned + JsonSchema;

    /// Describes the reconciler: what it is, what it reads and what it may write.
    fn describe() -> Description;

    /// Returns the desired state for a subject.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when the subject or the configuration is wrong; [`Failure::Retry`] for
    /// temporary failures.
    fn reconcile(request: &Request<Self::Spec, Self::Config>) -> Result<Outcome, Failure>;

    /// Returns what must still be done before the subject is deleted. Called only if the
    /// description `finalizes`. An outcome that is [`Readiness::Failed`] refuses the deletion:
    /// until a later outcome does not, no finalizer is removed and no other reconciler deletes
    /// anything for the subject.
    ///
    /// # Errors
    /// As [`Reconciler::reconcile`].
    fn finalize(_request: &Request<Self::Spec, Self::Config>) -> Result<Outcome, Failure> {
        Ok(Outcome::ready())
    }
}

/// Builds a Kubernetes object: its identity, and the fields of `content` (an object such as
/// `{"spec": …}`). `metadata` in `content` adds labels and annotations.
pub fn object(kind: &Kind, namespace: Option<&str>, name: &str, content: Value) -> Value {
    let mut object = if content.is_object() { content } else { json!({}) };
    object["apiVersion"] = json!(kind.api_version);
    object["kind"] = json!(kind.name);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["metadata"]["name"] = json!(name);
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// Marks an object as never deleted by the host: neither when it leaves the desired set nor with
/// its subject. Meant for `CustomResourceDefinitions`, whose deletion deletes all objects of their
/// kind.
pub fn never_pruned(mut object: Value) -> Value {
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"]["mizzen.dev/prune"] = json!("never");
    object
}

/// Exports a type that implements [`Reconciler`] as the reconciler of this component. Once in a
/// crate.
#[macro_export]
macro_rules! export {
    ($reconciler:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[doc(hidden)]
        mod mizzen_guest {
            use super::*;
            type ExportedReconciler = $crate::guest::Guest<$reconciler>;
            $crate::guest::export_guest!(ExportedReconciler with_types_in $crate::bindings);
        }
    };
}
