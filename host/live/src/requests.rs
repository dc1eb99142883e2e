//! Counts requests by verb and status code, for the metrics: they show that a converged cluster
//! costs no requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use tower::{BoxError, Layer, Service};

/// How many requests were sent. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct RequestCounts(Arc<Mutex<BTreeMap<RequestKey, u64>>>);

/// What requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey {
    /// `get` (lists included), `watch`, `create`, `update`, `patch`, `delete`, or `other`.
    pub verb: &'static str,
    /// The HTTP method, e.g. `GET`; `OTHER` for one that Kubernetes does not use.
    pub method: &'static str,
    /// The HTTP status code; 0: there was no response.
    pub code: u16,
}

impl RequestCounts {
    /// The counts up to now.
    pub fn snapshot(&self) -> BTreeMap<RequestKey, u64> {
        self.0.lock().clone()
    }

    fn add(&self, key: RequestKey) {
        *self.0.lock().entry(key).or_default() += 1;
    }
}

/// Wraps a client's service in a count.
#[derive(Clone, Debug)]
pub(crate) struct Count(RequestCounts);

impl Count {
    pub(crate) fn new(counts: RequestCounts) -> Self {
        Self(counts)
    }
}

impl<S> Layer<S> for Count {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, counts: self.0.clone() }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted<S> {
    inner: S,
    counts: RequestCounts,
}

impl<S, B> Service<Request<Body>> for Counted<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<B>, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (verb, method) = (verb(&request), method(&request));
        let counts = self.counts.clone();
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await;
            let code = response.as_ref().map_or(0, |response| response.status().as_u16());
            counts.add(RequestKey { verb, method, code });
            response
        })
    }
}

fn verb(request: &Request<Body>) -> &'static str {
    match *request.method() {
        Method::GET if request.uri().query().is_some_and(|query| query.contains("watch=true")) => "watch",
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// The method as a label of bounded cardinality.
fn method(request: &Request<Body>) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn requests_are_counted_by_verb_method_and_code() {
        let counts = RequestCounts::default();
        let respond = |request: Request<Body>| async move {
            if request.uri().path() == "/silent" {
                return Err("broken");
            }
            Ok(Response::builder().status(409).body(()).unwrap_or_default())
        };
        let service = Count::new(counts.clone()).layer(service_fn(respond));
        for (method, path) in [("PATCH", "/a"), ("PATCH", "/b"), ("GET", "/a?x=1&watch=true"), ("GET", "/silent")] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let _ = service.clone().oneshot(request).await;
        }
        let key = |verb, method, code| RequestKey { verb, method, code };
        let counted = [(key("get", "GET", 0), 1), (key("patch", "PATCH", 409), 2), (key("watch", "GET", 409), 1)];
        assert_eq!(counts.snapshot(), BTreeMap::from(counted));
    }
}
