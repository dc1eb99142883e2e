//! HTTPS requests as a plugin makes them, and answers as it is given them. Who sends them is elsewhere.

mod canned;
mod fetch;
mod header;

use std::sync::Arc;
use std::time::Duration;

pub use canned::{Canned, CannedError, is_canned};
pub use fetch::{Fetch, Hidden, Hop, NoNetwork, Proxy, Route, Routes, Target};
pub use header::{HeaderRule, header_rule};

/// What is asked, and of whom. The Rust shape of `http.request`; nothing in it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// `None`: a request without one.
    pub body: Option<Vec<u8>>,
    /// Name of a declared credential.
    pub credential: Option<String>,
    /// How old an answer from the cache may be; zero: it is asked now.
    pub max_age: Duration,
    /// How long it may take; zero: as long as the host allows.
    pub timeout: Duration,
}

/// What came back, whatever its status. The Rust shape of `http.response`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Whole. Shared with the cache.
    pub body: Arc<[u8]>,
    /// Zero unless it came from the cache.
    pub age: Duration,
}
