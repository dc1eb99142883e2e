//! HTTPS requests and responses.

use std::sync::Arc;
use std::time::Duration;

/// A request. The Rust form of `http.request`; nothing in it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// An absolute URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// `None`: no body.
    pub body: Option<Vec<u8>>,
    /// The name of a declared credential.
    pub credential: Option<String>,
    /// The greatest age of a cached response; zero: the request is sent.
    pub max_age: Duration,
    /// The timeout; zero: the host's own limit.
    pub timeout: Duration,
}

/// A response, of any status. The Rust form of `http.response`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The whole body, shared with the cache.
    pub body: Arc<[u8]>,
    /// Its age in the cache; zero if it is fresh.
    pub age: Duration,
}
