//! A request.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::access::AccessError;

/// A request under construction. From [`get`](super::get) and [`request`](super::request).
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
}

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
