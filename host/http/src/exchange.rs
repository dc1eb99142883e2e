//! One request and its answer, on one connection: what may be in either, and how large they may be.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::http::{HeaderRule, Route, header_rule};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};

use crate::leak::Sent;
use crate::limits;
use crate::resolve::Refused;

/// Headers of an answer that guests are not given: they belong to the connection, or are credentials themselves.
const KEPT_BACK: [&str; 11] = [
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

/// What is asked, in an HTTP client's words.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

// === impl Ask ===

impl Ask {
    /// The request, unless something in it makes no sense or is not a guest's to say.
    pub(crate) fn of(request: &HttpRequest, url: Url) -> Result<Self, AccessError> {
        let invalid = |why: String| AccessError::Invalid(why);
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| invalid(format!("`{}` is no method", request.method.escape_debug())))?;
        let mut headers = HeaderMap::new();
        let mut bytes = 0;
        for (name, value) in &request.headers {
            bytes += name.len() + value.len();
            if bytes > limits::REQUEST_HEADERS {
                return Err(invalid(format!("the headers are larger than {} bytes", limits::REQUEST_HEADERS)));
            }
            if header_rule(name) == HeaderRule::Host {
                return Err(AccessError::Denied(format!("header `{name}` is the host's to set; name a credential")));
            }
            let shown = name.escape_debug();
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(format!("`{shown}` is no header")))?;
            let value =
                HeaderValue::from_str(value).map_err(|_| invalid(format!("header `{name}` has no valid value")))?;
            headers.append(name, value);
        }
        if request.body.as_ref().is_some_and(|body| body.len() > limits::REQUEST_BODY) {
            return Err(invalid(format!("the body is larger than {} bytes", limits::REQUEST_BODY)));
        }
        Ok(Self { method, url, headers, body: request.body.clone() })
    }

    /// The same, of another place: what was meant for the first is not sent there.
    pub(crate) fn onward(&mut self, url: Url, same_origin: bool) {
        self.url = url;
        if !same_origin {
            let free = |(name, value): (&HeaderName, &HeaderValue)| {
                (header_rule(name.as_str()) == HeaderRule::Free).then(|| (name.clone(), value.clone()))
            };
            self.headers = self.headers.iter().filter_map(free).collect();
        }
    }

    /// Whether it only looks.
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// Sends it.
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

/// The answer, if it is not too large and does not repeat what was sent.
pub(crate) async fn receive(mut response: Response, url: &Url, sent: &Sent) -> Result<HttpResponse, AccessError> {
    let unavailable = |why: String| AccessError::Unavailable(format!("{}: {why}", place(url)));
    let too_large = || unavailable(format!("the answer is larger than {} bytes", limits::RESPONSE_BODY));
    let status = response.status().as_u16();
    let (mut headers, mut bytes) = (Vec::new(), 0);
    for (name, value) in response.headers() {
        bytes += name.as_str().len() + value.len();
        if bytes > limits::RESPONSE_HEADERS {
            return Err(unavailable(format!(
                "the answer's headers are larger than {} bytes",
                limits::RESPONSE_HEADERS
            )));
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        if sent.is_in(value.as_bytes()) || sent.is_in(name.as_str().as_bytes()) {
            return Err(unavailable("the answer repeats the credential, which no plugin may see".into()));
        }
        if !KEPT_BACK.contains(&name.as_str()) {
            headers.push((name.as_str().to_owned(), text.into_owned()));
        }
    }
    let mut body = Vec::new();
    // An announcement is believed only when it says that there is no room.
    if response.content_length().is_some_and(|length| length > limits::RESPONSE_BODY as u64) {
        return Err(too_large());
    }
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(url, &error))? {
        if body.len() + chunk.len() > limits::RESPONSE_BODY {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if sent.is_in(&body) {
        return Err(unavailable("the answer repeats the credential, which no plugin may see".into()));
    }
    Ok(HttpResponse { status, headers, body: Arc::from(body), age: Duration::ZERO })
}

/// Why a request had no answer, in words that say nothing of what it was sent with.
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
        format!("the answer broke off: {cause}")
    };
    AccessError::Unavailable(format!("{}: {what}", place(url)))
}

/// A URL for messages: the query may be long, and say what nobody should read.
pub(crate) fn place(url: &Url) -> String {
    crate::url::target(url).to_string()
}
