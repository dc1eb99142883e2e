//! Runs reconcilers natively against YAML, as strictly as the host runs them. A read that was not
//! declared is denied, a field set returns only its own fields, and an outcome that the host would
//! refuse ends the test: whatever is missing in `describe` is found here.
//!
//! What only an API server knows is not checked: grants, whether a kind is namespaced, what its
//! schema allows.

mod accept;
pub(crate) mod host;
mod servers;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::http::Canned;
use mizzen_model::{Fields, Object, yaml};
use serde_json::Value;

pub use table::rows;

use crate::http::{Request as HttpRequest, Response};
use crate::renderers::{RenderError, Renderer};
use crate::{AccessError, Failure, Kind, Outcome, Predecessor, Reconciler, Request};

/// The objects that a reconciler can read. Every kind is served unless declared otherwise.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    objects: Vec<Object>,
    unserved: Vec<Kind>,
    unavailable: Vec<Kind>,
    renderers: Vec<Function>,
    servers: servers::Servers,
    now: Duration,
}

type Body = dyn Fn(&Value) -> Result<Vec<Value>, RenderError> + Send + Sync;

/// A renderer that is a closure.
#[derive(Clone)]
struct Function {
    renderer: Renderer,
    /// A test that expects a panic may use the reconciler again afterwards; its closures decide
    /// what that does.
    body: Arc<AssertUnwindSafe<Box<Body>>>,
}

impl Cluster {
    /// An empty cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// The objects of a file or folder of YAML, and its responses to requests: documents of kind
    /// `HttpAnswer`, as `mizzen plan` reads them.
    ///
    /// # Panics
    /// If they can't be read: that ends the test.
    #[must_use]
    pub fn from_dir(path: impl AsRef<Path>) -> Self {
        match yaml::load(path.as_ref()) {
            Ok(documents) => documents.into_iter().fold(Self::new(), Self::document),
            Err(errors) => fail(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    /// Adds these objects, replacing those of the same name.
    ///
    /// # Panics
    /// If the text is not YAML of objects.
    #[must_use]
    pub fn with(self, text: &str) -> Self {
        match yaml::parse(Path::new("inline"), text) {
            Ok(documents) => documents.into_iter().fold(self, Self::document),
            Err(error) => fail(&error.to_string()),
        }
    }

    /// Makes a kind one that the API server does not serve.
    #[must_use]
    pub fn without_kind(mut self, kind: Kind) -> Self {
        self.unserved.push(kind);
        self
    }

    /// Makes a kind one whose objects can't be read.
    #[must_use]
    pub fn with_unavailable(mut self, kind: Kind) -> Self {
        self.unavailable.push(kind);
        self
    }

    /// Adds a renderer that is granted, with its labels. Its closure is given the document; it can
    /// return the errors `Err(RenderError::Rejected(…))`, `Err(RenderError::Failed(…))`, or
    /// `Err(AccessError::Unavailable(…).into())` for a renderer that is still being loaded.
    #[must_use]
    pub fn with_renderer(
        mut self,
        name: &str,
        labels: &[(&str, &str)],
        renders: impl Fn(&Value) -> Result<Vec<Value>, RenderError> + Send + Sync + 'static,
    ) -> Self {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.renderers.retain(|own| own.renderer.name != name);
        let renderer = Renderer { name: name.to_owned(), labels };
        self.renderers.push(Function { renderer, body: Arc::new(AssertUnwindSafe(Box::new(renders))) });
        self.renderers.sort_by(|a, b| a.renderer.name.cmp(&b.renderer.name));
        self
    }

    /// Adds the response to `GET` requests for a URL; a URL without a query matches any query. A
    /// further response to the same URL replaces the first.
    #[must_use]
    pub fn with_response(mut self, url: &str, answer: Response) -> Self {
        self.servers.answer("GET", url, answer);
        self
    }

    /// Adds a server for all requests whose URL begins with this and that no
    /// [`with_response`](Self::with_response) matches. A request that no server takes is
    /// unavailable, as when a server can't be reached; a closure can return the error
    /// `Err(AccessError::Unavailable(…))`.
    #[must_use]
    pub fn with_http(
        mut self,
        prefix: &str,
        answers: impl Fn(&HttpRequest) -> Result<Response, AccessError> + Send + Sync + 'static,
    ) -> Self {
        self.servers.closure(prefix, answers);
        self
    }

    /// Sets the time of [`clock::now`](crate::clock::now), since the Unix epoch.
    #[must_use]
    pub fn at(mut self, now: Duration) -> Self {
        self.now = now;
        self
    }

    fn document(mut self, document: yaml::Document) -> Self {
        match Canned::of(&document) {
            None => self.put(document.value),
            Some(Err(error)) => fail(&error.to_string()),
            Some(Ok(Canned { url, method, response })) => {
                let mut answer = Response::of_status(response.status).with_body(response.body.to_vec());
                answer.headers = response.headers;
                self.servers.answer(&method, &url, answer);
                self
            }
        }
    }

    fn put(mut self, document: Value) -> Self {
        match Object::new(document, &Fields::Whole) {
            Ok(object) => {
                self.objects.retain(|own| own.reference != object.reference);
                self.objects.push(object);
                self.objects.sort_by(|a, b| a.reference.cmp(&b.reference));
                self
            }
            Err(error) => fail(&error.to_string()),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.renderer.fmt(f)
    }
}

/// Calls `reconcile` for a subject (YAML), with a configuration.
///
/// # Errors
/// The reconciler's own failure, or a subject or configuration that does not fit its types.
///
/// # Panics
/// If the host would refuse the outcome, e.g. for an object of a kind that was not declared.
pub fn reconcile<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    ask::<R>(cluster, subject, config, Vec::new(), R::reconcile)
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
    ask::<R>(cluster, subject, config, predecessors, R::reconcile)
}

/// Calls `finalize` for a subject.
///
/// # Errors
/// As [`reconcile`].
///
/// # Panics
/// As [`reconcile`], and if the description does not say that it finalizes: the host would never
/// call it.
pub fn finalize<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    if !R::describe().finalizes {
        fail("`describe` does not declare `finalizes`: the host would never call it");
    }
    ask::<R>(cluster, subject, config, Vec::new(), R::finalize)
}

fn ask<R: Reconciler>(
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
    let outcome = host::answering(cluster, &description, || function(&request))?.checked()?;
    if let Err(refusal) = accept::accept(&description, &outcome) {
        fail(&format!("the host would refuse this outcome: {refusal}"));
    }
    Ok(outcome)
}

#[expect(clippy::panic, reason = "the test itself is wrong")]
fn fail(message: &str) -> ! {
    panic!("{message}")
}
