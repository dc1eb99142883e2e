//! Reconcilers, run natively against YAML, as strictly as the host runs them. A read that was not declared is denied, a field set
//! gives its own fields alone, and an outcome that the host would refuse ends the test: what was forgotten in `describe` is found here.
//!
//! What only an API server knows is not checked: grants, whether a kind has namespaces, what its schema allows.

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

/// The objects that a reconciler finds. Every kind is served unless it was said that it is not.
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
    /// A test that expects a panic asks through it again afterwards, if at all, knowing what it does.
    body: Arc<AssertUnwindSafe<Box<Body>>>,
}

impl Cluster {
    /// A cluster with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The objects of a file or folder of YAML, and its answers to requests: documents of kind `HttpAnswer`, as `mizzen plan` takes them.
    ///
    /// # Panics
    /// When they can't be read: a test has no better way to say so.
    #[must_use]
    pub fn from_dir(path: impl AsRef<Path>) -> Self {
        match yaml::load(path.as_ref()) {
            Ok(documents) => documents.into_iter().fold(Self::new(), Self::document),
            Err(errors) => fail(&errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
        }
    }

    /// These objects, too; one of the same name is replaced.
    ///
    /// # Panics
    /// When the text is no YAML of objects.
    #[must_use]
    pub fn with(self, text: &str) -> Self {
        match yaml::parse(Path::new("inline"), text) {
            Ok(documents) => documents.into_iter().fold(self, Self::document),
            Err(error) => fail(&error.to_string()),
        }
    }

    /// A kind that the API server does not serve.
    #[must_use]
    pub fn without_kind(mut self, kind: Kind) -> Self {
        self.unserved.push(kind);
        self
    }

    /// A kind whose objects can't be read now.
    #[must_use]
    pub fn with_unavailable(mut self, kind: Kind) -> Self {
        self.unavailable.push(kind);
        self
    }

    /// A renderer that is granted, with its labels. Its closure is given the document; an error of a test's own is
    /// `Err(RenderError::Rejected(…))`, `Err(RenderError::Failed(…))`, or `Err(AccessError::Unavailable(…).into())` for one that is still being loaded.
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

    /// What a server answers to `GET` requests for a URL; without a query: whatever the query. An answer to the same URL is replaced, so
    /// that a test can have it change.
    #[must_use]
    pub fn with_answer(mut self, url: &str, answer: Response) -> Self {
        self.servers.answer("GET", url, answer);
        self
    }

    /// Who is asked when no [`with_answer`](Self::with_answer) fits: all requests whose URL begins like this. A request that nobody is there
    /// for is unavailable, as when a server can't be reached; an error of a test's own is `Err(AccessError::Unavailable(…))`.
    #[must_use]
    pub fn with_http(
        mut self,
        prefix: &str,
        answers: impl Fn(&HttpRequest) -> Result<Response, AccessError> + Send + Sync + 'static,
    ) -> Self {
        self.servers.closure(prefix, answers);
        self
    }

    /// What [`clock::now`](crate::clock::now) says: the time since the Unix epoch.
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

/// Asks a reconciler about a subject (YAML), under a configuration.
///
/// # Errors
/// The reconciler's own failure; also when subject or configuration do not fit its types.
///
/// # Panics
/// When the host would refuse the outcome, e.g. for an object of a kind that was not declared.
pub fn reconcile<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    ask::<R>(cluster, subject, config, Vec::new(), R::reconcile)
}

/// As [`reconcile`], after others in the order have answered.
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

/// Asks a reconciler what must still be done before a subject goes.
///
/// # Errors
/// As [`reconcile`].
///
/// # Panics
/// As [`reconcile`]; also when the reconciler does not say in `describe` that it finalizes: the host would never ask.
pub fn finalize<R: Reconciler>(cluster: &Cluster, subject: &str, config: &Value) -> Result<Outcome, Failure> {
    if !R::describe().finalizes {
        fail("`describe` does not say that it finalizes: it would not be asked");
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
    let subject = documents.first().ok_or_else(|| Failure::invalid("there is no subject"))?;
    let request = Request::parse(&subject.value.to_string(), &config.to_string(), predecessors)?;
    let description = R::describe();
    let outcome = host::answering(cluster, &description, || function(&request))?.checked()?;
    if let Err(refusal) = accept::accept(&description, &outcome) {
        fail(&format!("the host would refuse this outcome: {refusal}"));
    }
    Ok(outcome)
}

#[expect(clippy::panic, reason = "it is the test that is wrong")]
fn fail(message: &str) -> ! {
    panic!("{message}")
}
