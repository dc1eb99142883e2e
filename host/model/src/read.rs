//! Reads: what a call gets through the host.

use std::sync::Arc;

use async_trait::async_trait;

use crate::access::AccessError;
use crate::http::{HttpRequest, HttpResponse};
use crate::kind::{Kind, ObjectRef};
use crate::object::Object;
use crate::renderer::{RenderError, Rendered, Renderer};
use crate::selector::Selector;
use crate::values::Values;

/// The parameters of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// The kind.
    pub kind: Kind,
    /// `None`: all namespaces.
    pub namespace: Option<Arc<str>>,
    /// By the labels of the objects.
    pub labels: Selector,
    /// By the labels of the objects' namespaces.
    pub namespace_labels: Selector,
    /// By texts in fields of the objects; `None`: any. Requires a field set that has those fields.
    pub values: Option<Values>,
    /// The name of a declared field set; `None`: whole objects.
    pub fields: Option<Arc<str>>,
}

/// The level of a plugin's log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// For the plugin's developers.
    Debug,
    /// For its operators.
    Info,
    /// A problem that a person should look at.
    Warn,
    /// A failure.
    Error,
}

/// Everything that a call can read. The engine implements it, checks the grants and records each
/// read; the sandbox only passes the reads on.
#[async_trait]
pub trait Reads: Send + Sync {
    /// Returns one object, projected to the named field set; `Ok(None)` if it does not exist.
    async fn get(&self, object: &ObjectRef, fields: Option<&str>) -> Result<Option<Arc<Object>>, AccessError>;
    /// Returns the selected objects in namespace and name order, all from one point in time.
    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError>;
    /// Returns the number of objects that `list` would return.
    async fn count(&self, query: &Query) -> Result<u64, AccessError>;
    /// Returns whether the API server serves the kind.
    ///
    /// # Errors
    /// [`AccessError::Denied`]: the plugin does not declare the kind. There is no such error in the
    /// contract: it ends the call.
    async fn serves(&self, kind: &Kind) -> Result<bool, AccessError>;
    /// Returns the granted renderers, by name. None by default.
    async fn renderers(&self) -> Vec<Renderer> {
        Vec::new()
    }
    /// Renders a JSON document. Denied by default.
    async fn render(&self, renderer: &str, _function_config: &str) -> Result<Rendered, RenderError> {
        Err(AccessError::Denied(format!("renderer `{renderer}` is not granted")).into())
    }
    /// Sends a request and returns the response, of any status. Denied by default.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, AccessError> {
        Err(AccessError::Denied(format!("no host is granted: the {} request was not sent", request.method)))
    }
    /// The time, in milliseconds since the Unix epoch.
    fn now(&self) -> u64;
    /// Writes a log line of the plugin.
    fn log(&self, level: Level, message: &str, fields: &[(String, String)]);
}
