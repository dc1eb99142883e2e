//! Counts requests by verb and answer, for the metrics: what a converged cluster costs must be seen to be nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

/// How many requests were sent, by verb (`get`, `watch`, `create`, `update`, `patch`, `delete`) and HTTP code; code 0 is no answer.
/// Lists count as `get`.
#[derive(Clone, Debug, Default)]
pub struct RequestCounts(Arc<Mutex<BTreeMap<(&'static str, u16), u64>>>);

impl RequestCounts {
    /// The counts up to now.
    pub fn snapshot(&self) -> BTreeMap<(&'static str, u16), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, verb: &'static str, code: u16) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((verb, code)).or_default() += 1;
    }
}

/// Puts a count around a client's service.
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
        let verb = verb(&request);
        let counts = self.counts.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            counts.add(verb, answer.as_ref().map_or(0, |response| response.status().as_u16()));
            answer
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

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn requests_are_counted_by_verb_and_answer() {
        let counts = RequestCounts::default();
        let answer = |request: Request<Body>| async move {
            if request.uri().path() == "/silent" {
                return Err("broken");
            }
            Ok(Response::builder().status(409).body(()).unwrap_or_default())
        };
        let service = Count::new(counts.clone()).layer(service_fn(answer));
        for (method, path) in [("PATCH", "/a"), ("PATCH", "/b"), ("GET", "/a?x=1&watch=true"), ("GET", "/silent")] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let _ = service.clone().oneshot(request).await;
        }
        assert_eq!(counts.snapshot(), BTreeMap::from([(("get", 0), 1), (("patch", 409), 2), (("watch", 409), 1)]));
    }
}
