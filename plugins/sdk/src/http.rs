//! HTTPS requests, to hosts that the operator granted. The host adds credentials: a reconciler names one and never sees it.
//!
//! What is asked for must be said in `describe`, so that somebody can grant it:
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
//!     let answer = http::get(&format!("{api}/v1/hosts"))
//!         .query("zone", "eu west")
//!         .credential("api-token")
//!         .max_age(Duration::from_mins(15))
//!         .send()?;
//!     Ok(answer.success()?.json::<Hosts>()?.hosts)
//! }
//! # drop((describe(), hosts("https://api.example.com")));
//! ```
//!
//! Three things differ: no answer at all is an [`AccessError`]; an HTTP error status is an answer like others, until
//! [`Response::success`] makes an error of it; and what is no JSON of the right type is [`Error::Malformed`]. As a [`Failure`], each of
//! them is tried again later, but for what was not granted.
//!
//! Nobody tells the host when an answer would be another: [`Outcome::requeue_after`](crate::Outcome::requeue_after) has the reconciler
//! asked again. An answer in which a request failed prunes nothing; one in which a server answered "500" is for the reconciler to judge:
//! return an error, or what is wanted [so far](crate::Outcome::desire_so_far), and what was wanted before stays.
//!
//! In tests a server is a closure or a file: see `testing::Cluster::with_http` and `testing::Cluster::with_answer`.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{AccessError, Failure, backend};

/// A request under construction. From [`get`] and [`request`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is asked before it is sent"]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// `None`: a request without one.
    pub body: Option<Vec<u8>>,
    /// Name of a declared credential.
    pub credential: Option<String>,
    /// How old an answer from the host's cache may be, in whole milliseconds; zero: it is asked now.
    pub max_age: Duration,
    /// How long it may take, in whole milliseconds; zero: as long as the host allows.
    pub timeout: Duration,
}

/// What a server answered, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status, e.g. 404.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Whole.
    pub body: Vec<u8>,
    /// How old the answer is: zero unless it came from the host's cache.
    pub age: Duration,
}

/// Why there is no answer to work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The host did not send the request, or nobody answered it.
    Access(AccessError),
    /// The server answered with a status other than 2xx: the status, and the first of what it said.
    Status(u16, String),
    /// The answer is not what was expected: says where.
    Malformed(String),
}

/// Bytes of a server's words that an error repeats.
const SAID: usize = 200;

/// Asks for what is at a URL.
pub fn get(url: &str) -> Request {
    request("GET", url)
}

/// A request of any method. Others than `GET` and `HEAD` must be granted by name, and are sent again whenever the reconciler is asked again.
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
    /// Adds a parameter to the query, escaped as it has to be.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        escape(&mut self.url, name);
        self.url.push('=');
        escape(&mut self.url, value);
        self
    }

    /// Adds a header. What authenticates, and what belongs to the connection, is the host's to set.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends JSON with it.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] when the value can't be written as JSON.
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

    /// An answer from the host's cache will do, if it is not older than this.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Waits no longer than this. The time counts towards that of the call, which is 5 s unless the configuration gives it more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it, and waits for the answer.
    ///
    /// # Errors
    /// See [`AccessError`]. An HTTP error status is none: see [`Response::success`].
    pub fn send(self) -> Result<Response, AccessError> {
        backend::send(&self)
    }
}

// === impl Response ===

impl Response {
    /// An answer for a test: JSON, and status 200.
    pub fn of_json(body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body, ..Self::of_status(200) }.with_header("content-type", "application/json")
    }

    /// An answer for a test: a status, and no body.
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

    /// The answer, if its status is 2xx.
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

    /// The body as a type, or what is wrong with it.
    ///
    /// # Errors
    /// [`Error::Malformed`]. An empty body is malformed, too: it is never taken for an empty value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// The first value of a header, whose name is compared without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// How long the server asks to be left alone (`Retry-After`, in seconds); `None` when it does not, or names a date.
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
    /// What a server said may be different next time; what was not granted is not.
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
            Self::Status(status, said) if said.is_empty() => write!(f, "the server answered with status {status}"),
            Self::Status(status, said) => write!(f, "the server answered with status {status}: {said}"),
            Self::Malformed(why) => write!(f, "the server's answer is not what was expected: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Writes a part of a query, with everything escaped that could mean something there.
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
    fn an_error_status_is_an_answer_until_success_is_asked_for() {
        let answer = Response::of_status(429).with_header("Retry-After", "60").with_body("slow\n down");
        assert_eq!(answer.retry_after(), Some(Duration::from_mins(1)));
        let error = answer.success().unwrap_err();
        assert_eq!(error, Error::Status(429, "slow down".into()));
        assert!(matches!(Failure::from(error), Failure::Retry(why) if why.contains("429")));
    }

    #[test]
    fn an_empty_body_is_no_empty_value() {
        let malformed = Response::of_status(200).json::<Vec<Value>>();
        assert!(matches!(&malformed, Err(Error::Malformed(_))), "{malformed:?}");
        assert_eq!(Response::of_json(&json!([1])).json::<Vec<u8>>(), Ok(vec![1]));
        assert!(matches!(Failure::from(malformed.unwrap_err()), Failure::Retry(_)));
    }

    #[test]
    fn what_was_not_granted_is_not_tried_again() {
        let denied = Error::Access(AccessError::Denied("no".into()));
        assert_eq!(Failure::from(denied), Failure::Invalid("no".into()));
    }
}
