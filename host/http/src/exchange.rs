//! One request and its response, on one connection: what may be in them, and how large they may be.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::http::{HeaderRule, Hop, Route, header_rule};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};

use crate::leak::Sent;
use crate::limits;
use crate::resolve::Refused;

/// Headers of a response that guests do not get: they belong to the connection, or are credentials themselves.
const WITHHELD: [&str; 11] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request, in the HTTP client's types.
#[derive(Clone)]
pub(crate) struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Outgoing {
    /// Converts a request.
    ///
    /// # Errors
    /// When it is invalid or too large, or sets a header that only the host may set.
    pub(crate) fn of(request: &HttpRequest, url: Url) -> Result<Self, AccessError> {
        let invalid = |why: String| AccessError::Invalid(why);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| invalid(format!("`{}` is not a valid method", request.method.escape_debug())))?;
        let mut headers = HeaderMap::new();
        let mut bytes = 0;
        for (name, value) in &request.headers {
            bytes += name.len() + value.len();
            if bytes > limits::REQUEST_HEADERS {
                return Err(invalid(format!("the headers are larger than {} bytes", limits::REQUEST_HEADERS)));
            }
            if header_rule(name) == HeaderRule::Host {
                return Err(AccessError::Denied(format!("only the host sets header `{name}`: name a credential")));
            }
            let shown = name.escape_debug();
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| invalid(format!("`{shown}` is not a valid name of a header")))?;
            let value =
                HeaderValue::from_str(value).map_err(|_| invalid(format!("header `{name}` has no valid value")))?;
            headers.append(name, value);
        }
        if request.body.as_ref().is_some_and(|body| body.len() > limits::REQUEST_BODY) {
            return Err(invalid(format!("the body is larger than {} bytes", limits::REQUEST_BODY)));
        }
        Ok(Self { method, url, headers, body: request.body.clone() })
    }

    /// Follows a redirect. Headers that were meant for the first origin are not sent to another.
    pub(crate) fn redirect(&mut self, url: Url, hop: Hop) {
        self.url = url;
        if hop == Hop::Elsewhere {
            let free = |(name, value): (&HeaderName, &HeaderValue)| {
                (header_rule(name.as_str()) == HeaderRule::Free).then(|| (name.clone(), value.clone()))
            };
            self.headers = self.headers.iter().filter_map(free).collect();
        }
    }

    /// Where it goes.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it changes nothing at the server.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Sends it, with the route's credential.
    pub(crate) async fn send(&self, client: &reqwest::Client, route: &Route) -> Result<Response, AccessError> {
        let mut request = client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if let Some((name, value)) = &route.credential {
            let unfit = || AccessError::Unavailable("the credential can't be sent in a header".into());
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| unfit())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|error| failure(&self.url, &error))
    }
}

/// Receives a response.
///
/// # Errors
/// When it breaks off, is too large, or repeats the credential.
pub(crate) async fn receive(mut response: Response, url: &Url, sent: &Sent) -> Result<HttpResponse, AccessError> {
    let status = response.status().as_u16();
    let headers = headers(&response, sent).map_err(|refusal| refusal.of(url))?;
    // An announced length is only believed when it is too large.
    if response.content_length().is_some_and(|length| length > limits::RESPONSE_BODY as u64) {
        return Err(Refusal::Body.of(url));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(url, &error))? {
        if body.len() + chunk.len() > limits::RESPONSE_BODY {
            return Err(Refusal::Body.of(url));
        }
        body.extend_from_slice(&chunk);
    }
    if sent.is_in(&body) {
        return Err(Refusal::Credential.of(url));
    }
    Ok(HttpResponse { status, headers, body: Arc::from(body), age: Duration::ZERO })
}

/// Returns the headers that a guest gets.
fn headers(response: &Response, sent: &Sent) -> Result<Vec<(String, String)>, Refusal> {
    let (mut headers, mut bytes) = (Vec::new(), 0);
    for (name, value) in response.headers() {
        bytes += name.as_str().len() + value.len();
        if bytes > limits::RESPONSE_HEADERS {
            return Err(Refusal::Headers);
        }
        if sent.is_in(value.as_bytes()) || sent.is_in(name.as_str().as_bytes()) {
            return Err(Refusal::Credential);
        }
        if !WITHHELD.contains(&name.as_str()) {
            headers.push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
    }
    Ok(headers)
}

/// Why a response is not handed over.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refusal {
    #[error("the response's headers are larger than {} bytes", limits::RESPONSE_HEADERS)]
    Headers,
    #[error("the response is larger than {} bytes", limits::RESPONSE_BODY)]
    Body,
    #[error("the response repeats the credential, which no plugin may see")]
    Credential,
}

impl Refusal {
    fn of(self, url: &Url) -> AccessError {
        AccessError::Unavailable(format!("{}: {self}", place(url)))
    }
}

/// Returns why a request got no response, without anything that was sent with it.
fn failure(url: &Url, error: &reqwest::Error) -> AccessError {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        if let Some(Refused(why)) = source.downcast_ref() {
            return AccessError::Denied(why.clone());
        }
        cause = source;
    }
    let what = if error.is_timeout() {
        "no connection in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {cause}")
    } else {
        format!("the response broke off: {cause}")
    };
    AccessError::Unavailable(format!("{}: {what}", place(url)))
}

/// Returns the part of a URL that messages show: the query may be long, or secret.
pub(crate) fn place(url: &Url) -> String {
    crate::url::target(url).to_string()
}
