//! A cluster of YAML documents, with renderers and servers.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::http::Canned;
use mizzen_model::{Fields, Object, yaml};
use serde_json::Value;

use super::fail::fail;
use super::servers::Servers;
use crate::access::AccessError;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::identity::Kind;
use crate::renderers::renderer::{RenderError, Renderer};

/// The objects that a reconciler can read. Every kind is served unless declared otherwise.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    pub(super) objects: Vec<Object>,
    pub(super) unserved: Vec<Kind>,
    pub(super) unavailable: Vec<Kind>,
    pub(super) renderers: Vec<Function>,
    pub(super) servers: Servers,
    pub(super) now: Duration,
}

type Body = dyn Fn(&Value) -> Result<Vec<Value>, RenderError> + Send + Sync;

/// A renderer that is a closure.
#[derive(Clone)]
pub(super) struct Function {
    pub(super) renderer: Renderer,
    /// A test that expects a panic may use the reconciler again afterwards; its closures decide
    /// what that does.
    pub(super) body: Arc<AssertUnwindSafe<Box<Body>>>,
}

impl Cluster {
    /// An empty cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// The objects of a file or folder of YAML, and its responses to requests: documents of kind
    /// `HttpResponse`, as `mizzen plan` reads them.
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
    pub fn with_response(mut self, url: &str, response: Response) -> Self {
        self.servers.respond("GET", url, response);
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
        respond: impl Fn(&Request) -> Result<Response, AccessError> + Send + Sync + 'static,
    ) -> Self {
        self.servers.closure(prefix, respond);
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
                let mut served = Response::of_status(response.status).with_body(response.body.to_vec());
                served.headers = response.headers;
                self.servers.respond(&method, &url, served);
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
