//! Servers for tests: responses by URL, and closures. A request that the host would refuse is
//! refused here, too.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use mizzen_model::http::{HeaderRule, header_rule};

use crate::access::AccessError;
use crate::describe::Description;
use crate::http::request::Request;
use crate::http::response::Response;

type Respond = dyn Fn(&Request) -> Result<Response, AccessError> + Send + Sync;

/// All servers of a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Servers {
    responses: Vec<(String, String, Response)>,
    closures: Vec<Closure>,
}

#[derive(Clone)]
struct Closure {
    prefix: String,
    /// A test that expects a panic may use the reconciler again afterwards; its closures decide
    /// what that does.
    respond: Arc<AssertUnwindSafe<Box<Respond>>>,
}

/// Checks a request as the host does, as far as that is possible without a configuration; the error
/// is the host's.
pub(super) fn admit(description: &Description, request: &Request) -> Result<(), AccessError> {
    let denied = |why: String| Err(AccessError::Denied(why));
    if description.http.is_empty() {
        return denied("sending requests is not declared in `describe`: add `.http(…)`".into());
    }
    if !request.url.starts_with("https://") {
        return denied(format!("`{}` is not https", request.url));
    }
    if let Some(name) = &request.credential
        && !description.credentials.contains(name)
    {
        return denied(format!("credential `{name}` is not declared in `describe`: add `.credential(…)`"));
    }
    match request.headers.iter().find(|(name, _)| header_rule(name) == HeaderRule::Host) {
        Some((name, _)) => denied(format!("header `{name}` is set by the host")),
        None => Ok(()),
    }
}

// === impl Servers ===

impl Servers {
    pub(super) fn respond(&mut self, method: &str, url: &str, response: Response) {
        self.responses.retain(|(of, at, _)| (&**of, &**at) != (method, url));
        self.responses.push((method.to_owned(), url.to_owned(), response));
    }

    pub(super) fn closure(
        &mut self,
        prefix: &str,
        respond: impl Fn(&Request) -> Result<Response, AccessError> + Send + Sync + 'static,
    ) {
        self.closures.retain(|own| own.prefix != prefix);
        self.closures
            .push(Closure { prefix: prefix.to_owned(), respond: Arc::new(AssertUnwindSafe(Box::new(respond))) });
    }

    pub(super) fn send(&self, request: &Request) -> Result<Response, AccessError> {
        let of = |url: &str| {
            let found = self.responses.iter().find(|(method, at, _)| (&**method, &**at) == (&*request.method, url));
            found.map(|(_, _, response)| response.clone())
        };
        let whole = of(&request.url);
        if let Some(response) = whole.or_else(|| of(request.url.split_once('?')?.0)) {
            return Ok(response);
        }
        let mut closures: Vec<_> = self.closures.iter().filter(|own| request.url.starts_with(&own.prefix)).collect();
        closures.sort_by_key(|own| own.prefix.len());
        let unavailable =
            || AccessError::Unavailable(format!("the test has no response for {} {}", request.method, request.url));
        (closures.pop().ok_or_else(unavailable)?.respond)(request)
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.prefix.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Cluster, host};
    use super::*;
    use crate::{Failure, Kind, http};

    const API: &str = "https://api.example.com/v1/hosts";

    /// Runs `tries` in a reconciler that declares requests with one credential.
    fn seen<T>(cluster: &Cluster, function: impl FnOnce() -> T) -> T {
        let description = Description::new("a", "1", "", Kind::new("v1", "Pod")).http("hosts").credential("token");
        host::serving(cluster, &description, function)
    }

    #[test]
    fn a_response_is_found_by_its_url_then_by_its_path_then_by_a_closure() {
        let cluster = Cluster::new()
            .with_response(API, Response::of_json(&json!(["any"])))
            .with_response(&format!("{API}?zone=a"), Response::of_status(503))
            .with_http("https://api.example.com/", |request| {
                Ok(Response::of_json(&[&request.url, request.credential.as_deref().unwrap_or("none")]))
            });
        seen(&cluster, || {
            assert_eq!(http::get(API).query("zone", "a").send().unwrap().status, 503);
            assert_eq!(http::get(API).query("zone", "b").send().unwrap().json::<Vec<String>>().unwrap(), ["any"]);
            let other = http::get("https://api.example.com/v2").credential("token").send().unwrap();
            assert_eq!(other.json::<Vec<String>>().unwrap(), ["https://api.example.com/v2", "token"]);
            let unserved = http::get("https://other.example.com/").send();
            assert!(matches!(unserved, Err(AccessError::Unavailable(_))));
            assert!(matches!(Failure::from(unserved.unwrap_err()), Failure::Retry(_)));
        });
    }

    #[test]
    fn a_response_can_be_a_document_among_the_objects() {
        let cluster = Cluster::new().with(&format!(
            "{{apiVersion: mizzen.dev/v1alpha1, kind: HttpResponse, metadata: {{name: a}}, \
             spec: {{url: '{API}', json: [x], headers: {{A-B: c}}}}}}"
        ));
        let response = seen(&cluster, || http::get(API).send()).unwrap();
        assert_eq!(
            (response.json::<Vec<String>>().unwrap(), response.header("a-b")),
            (vec!["x".to_owned()], Some("c"))
        );
    }

    #[test]
    fn a_request_that_the_host_would_not_send_is_denied() {
        let cluster = Cluster::new().with_http("", |_| Ok(Response::of_status(200)));
        seen(&cluster, || {
            for (request, why) in [
                (http::get("http://api.example.com"), "not https"),
                (http::get(API).credential("other"), "`other` is not declared"),
                (http::get(API).header("authorization", "Bearer x"), "is set by the host"),
            ] {
                assert!(matches!(request.send(), Err(AccessError::Denied(reason)) if reason.contains(why)), "{why}");
            }
        });
        let silent = Description::new("a", "1", "", Kind::new("v1", "Pod"));
        let denied = host::serving(&cluster, &silent, || http::get(API).send());
        assert!(matches!(denied, Err(AccessError::Denied(why)) if why.contains(".http(")));
    }
}
