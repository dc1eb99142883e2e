//! A response, and why it can't be used.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::AccessError;

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

/// Why a response can't be used.
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
const QUOTED: usize = 200;

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
        let quoted = String::from_utf8_lossy(&self.body[..self.body.len().min(QUOTED)]);
        Err(Error::Status(self.status, quoted.split_whitespace().collect::<Vec<_>>().join(" ")))
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Access(error) => error.fmt(f),
            Self::Status(status, body) if body.is_empty() => write!(f, "the server responded with status {status}"),
            Self::Status(status, body) => write!(f, "the server responded with status {status}: {body}"),
            Self::Malformed(why) => write!(f, "the response is not what was expected: {why}"),
        }
    }
}

impl std::error::Error for Error {}
