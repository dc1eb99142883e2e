//! HTTPS requests, to hosts that the operator granted. The host adds credentials: a reconciler
//! names one and never sees it.
//!
//! Requests must be declared in `describe`, so that the operator can grant them:
//!
//! ```
//! use std::time::Duration;
//!
//! use mizzen_sdk::{Description, Failure, Kind, http};
//! use serde::Deserialize;
//!
//! fn describe() -> Description {
//!     Description::new("hosts", "0.1.0", "Opens ways to an API's hosts", Kind::new("example.com/v1", "Api"))
//!         .http("which hosts the API consists of")
//!         .credential("api-token")
//! }
//!
//! #[derive(Deserialize)]
//! struct Hosts {
//!     hosts: Vec<String>,
//! }
//!
//! fn hosts(api: &str) -> Result<Vec<String>, Failure> {
//!     let response = http::get(&format!("{api}/v1/hosts"))
//!         .query("zone", "eu west")
//!         .credential("api-token")
//!         .max_age(Duration::from_mins(15))
//!         .send()?;
//!     Ok(response.success()?.json::<Hosts>()?.hosts)
//! }
//! # drop((describe(), hosts("https://api.example.com")));
//! ```
//!
//! Three things differ between failures: a request without a response is an [`AccessError`]; an
//! HTTP error status is a response like others, until [`Response::success`] turns it into an error;
//! and a body that is not JSON of the expected type is [`Error::Malformed`]. As a [`Failure`], each
//! of them is retried later, except for what was not granted.
//!
//! The host can't know when the server's state changes: use
//! [`Outcome::requeue_after`](crate::Outcome::requeue_after) to be called again. After a failed
//! request nothing is pruned; a response of status 500 is for the reconciler to judge: return an
//! error, or what is desired [so far](crate::Outcome::desire_so_far), and the objects of earlier
//! outcomes stay.
//!
//! In tests a server is a closure or a file: see `testing::Cluster::with_http` and
//! `testing::Cluster::with_response`.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{AccessError, Failure, backend};

/// A request under construction. From [`get`] and [`request`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a request does nothing before it is sent"]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// `None` for a request without a body.
    pub body: Option<Vec<u8>>,
    /// Name of a declared credential.
    pub credential: Option<String>,
    /// Maximum age of a response from the host's cache, in whole milliseconds; zero: the request is
    /// sent now.
    pub max_age: Duration,
    /// Time limit, in whole milliseconds; zero: the host's own limit.
    pub timeout: Duration,
}

/// A server's response, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status, e.g. 404.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Age of the response: zero unless it came from the host's cache.
    pub age: Duration,
}

/// Why there is no usable response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The host did not send the request, or received no response.
    Access(AccessError),
    /// The server responded with a status other than 2xx: the status, and the first bytes of the
    /// body.
    Status(u16, String),
    /// The body is not what was expected; with the position.
    Malformed(String),
}

/// Bytes of a response's body that an error quotes.
const SAID: usize = 200;

/// A `GET` request for a URL.
pub fn get(url: &str) -> Request {
    request("GET", url)
}

/// A request of any method. Methods other than `GET` and `HEAD` must be granted by name, and are
/// sent again with every call of the reconciler.
pub fn request(method: &str, url: &str) -> Request {
    Request {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        credential: None,
        max_age: Duration::ZERO,
        timeout: Duration::ZERO,
    }
}

// === impl Request ===

impl Request {
    /// Adds a parameter to the query, escaped as required.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        escape(&mut self.url, name);
        self.url.push('=');
        escape(&mut self.url, value);
        self
    }

    /// Adds a header. Headers that authenticate or control the connection are set by the host and
    /// refused here.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] if the value can't be serialized as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, AccessError> {
        let body = serde_json::to_vec(body).map_err(|error| AccessError::Invalid(format!("the body: {error}")))?;
        self.body = Some(body);
        Ok(self.header("content-type", "application/json"))
    }

    /// Has the host add a credential, by the name that `describe` declares.
    pub fn credential(mut self, name: &str) -> Self {
        self.credential = Some(name.to_owned());
        self
    }

    /// Accepts a response from the host's cache that is not older than this.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Limits the time to wait. It counts towards that of the call, which is 5 s unless the
    /// configuration sets another.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends the request, and waits for the response.
    ///
    /// # Errors
    /// See [`AccessError`]. An HTTP error status is not an error: see [`Response::success`].
    pub fn send(self) -> Result<Response, AccessError> {
        backend::send(&self)
    }
}

// === impl Response ===

impl Response {
    /// A response for a test: JSON, and status 200.
    pub fn of_json(body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body, ..Self::of_status(200) }.with_header("content-type", "application/json")
    }

    /// A response for a test: a status, and an empty body.
    pub fn of_status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), age: Duration::ZERO }
    }

    /// Adds a header, for a test.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Replaces the body, for a test.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the response, if its status is 2xx.
    ///
    /// # Errors
    /// [`Error::Status`].
    pub fn success(self) -> Result<Self, Error> {
        if self.is_success() {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.body[..self.body.len().min(SAID)]);
        Err(Error::Status(self.status, said.split_whitespace().collect::<Vec<_>>().join(" ")))
    }

    /// Deserializes the body from JSON.
    ///
    /// # Errors
    /// [`Error::Malformed`]. An empty body is malformed, too: it is never taken for an empty value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// Returns the first value of a header, whose name is compared case-insensitively.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Returns how long the server asks clients to wait (`Retry-After`, in seconds); `None` if it
    /// does not, or names a date.
    pub fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<Error> for Failure {
    /// An error status may be temporary, so it is retried; a request that was not granted is not.
    fn from(error: Error) -> Self {
        match error {
            Error::Access(error) => error.into(),
            Error::Status(..) | Error::Malformed(_) => Self::Retry(error.to_string()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(error) => error.fmt(f),
            Self::Status(status, said) if said.is_empty() => write!(f, "the server responded with status {status}"),
            Self::Status(status, said) => write!(f, "the server responded with status {status}: {said}"),
            Self::Malformed(why) => write!(f, "the response is not what was expected: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Appends a part of a query, percent-encoding every character that has a meaning there.
fn escape(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            to.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_query_is_escaped() {
        let asked = get("https://a/b").query("zone", "eu west&x=1").query("n", "ü");
        assert_eq!(asked.url, "https://a/b?zone=eu%20west%26x%3D1&n=%C3%BC");
    }

    #[test]
    fn an_error_status_is_a_response_until_success_is_required() {
        let answer = Response::of_status(429).with_header("Retry-After", "60").with_body("slow\n down");
        assert_eq!(answer.retry_after(), Some(Duration::from_mins(1)));
        let error = answer.success().unwrap_err();
        assert_eq!(error, Error::Status(429, "slow down".into()));
        assert!(matches!(Failure::from(error), Failure::Retry(why) if why.contains("429")));
    }

    #[test]
    fn an_empty_body_is_not_an_empty_value() {
        let malformed = Response::of_status(200).json::<Vec<Value>>();
        assert!(matches!(&malformed, Err(Error::Malformed(_))), "{malformed:?}");
        assert_eq!(Response::of_json(&json!([1])).json::<Vec<u8>>(), Ok(vec![1]));
        assert!(matches!(Failure::from(malformed.unwrap_err()), Failure::Retry(_)));
    }

    #[test]
    fn a_request_that_was_not_granted_is_not_retried() {
        let denied = Error::Access(AccessError::Denied("no".into()));
        assert_eq!(Failure::from(denied), Failure::Invalid("no".into()));
    }
}
