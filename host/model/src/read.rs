//! Reads: what a plugin can ask of the cluster during a call, and why it may get no answer.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{HttpRequest, HttpResponse, Kind, Object, ObjectRef, RenderError, Rendered, Renderer, Selector, Values};

/// A question about many objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// Of which kind.
    pub kind: Kind,
    /// `None`: all namespaces.
    pub namespace: Option<Arc<str>>,
    /// Which labels the objects have.
    pub labels: Selector,
    /// Which labels the objects' namespaces have.
    pub namespace_labels: Selector,
    /// Which texts the objects have in their fields; `None`: whatever they have. Given, it needs a field set that holds those fields.
    pub values: Option<Values>,
    /// Name of a declared field set; `None`: whole objects.
    pub fields: Option<Arc<str>>,
}

/// Why the host does not answer a read. The Rust shape of `types.access-error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// Not declared by the plugin, or not granted by the operator.
    #[error("denied: {0}")]
    Denied(String),
    /// The API server does not serve the kind.
    #[error("not served: {0}")]
    NotServed(String),
    /// Can't be answered now.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The question makes no sense.
    #[error("invalid: {0}")]
    Invalid(String),
}

/// How important a plugin's log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// For whoever writes the plugin.
    Debug,
    /// For whoever runs it.
    Info,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Error,
}

/// Everything a call reaches of the world. The engine answers, granting and recording; the sandbox only carries the question.
#[async_trait]
pub trait Reads: Send + Sync {
    /// One object, projected to the named field set; `Ok(None)` when it does not exist.
    async fn get(&self, object: &ObjectRef, fields: Option<&str>) -> Result<Option<Arc<Object>>, AccessError>;
    /// Objects in namespace and name order, all from one point in time.
    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError>;
    /// How many objects `list` would give.
    async fn count(&self, query: &Query) -> Result<u64, AccessError>;
    /// Whether the API server serves the kind.
    async fn serves(&self, kind: &Kind) -> bool;
    /// The renderers that are granted, by name. None by default.
    async fn renderers(&self) -> Vec<Renderer> {
        Vec::new()
    }
    /// What a renderer makes of a JSON document. Refused by default.
    async fn render(&self, renderer: &str, _function_config: &str) -> Result<Rendered, RenderError> {
        Err(AccessError::Denied(format!("renderer `{renderer}` is not granted")).into())
    }
    /// What a server answers to a request, whatever the status. Refused by default.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, AccessError> {
        Err(AccessError::Denied(format!("no host is granted: {} was not sent", request.method)))
    }
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;
    /// A log line of the plugin's.
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]);
}
