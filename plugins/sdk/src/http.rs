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
//! and a body that is not JSON of the expected type is [`Error::Malformed`]. As a
//! [`Failure`](crate::Failure), each of them is retried later, except for what was not granted.
//!
//! The host can't know when the server's state changes: use
//! [`Outcome::requeue_after`](crate::Outcome::requeue_after) to be called again. After a failed
//! request nothing is pruned; a response of status 500 is for the reconciler to judge: return an
//! error, or what is desired [so far](crate::Outcome::desire_so_far), and the objects of earlier
//! outcomes stay.
//!
//! In tests a server is a closure or a file: see `testing::Cluster::with_http` and
//! `testing::Cluster::with_response`.

pub(crate) mod request;
pub(crate) mod response;

use std::time::Duration;

use crate::access::AccessError;
use crate::backend;

pub use request::Request;
pub use response::{Error, Response};

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
    /// Sends the request, and waits for the response.
    ///
    /// # Errors
    /// See [`AccessError`]. An HTTP error status is not an error: see [`Response::success`].
    pub fn send(self) -> Result<Response, AccessError> {
        backend::send(&self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Failure;

    #[test]
    fn a_query_is_escaped() {
        let request = get("https://a/b").query("zone", "eu west&x=1").query("n", "ü");
        assert_eq!(request.url, "https://a/b?zone=eu%20west%26x%3D1&n=%C3%BC");
    }

    #[test]
    fn an_error_status_is_a_response_until_success_is_required() {
        let response = Response::of_status(429).with_header("Retry-After", "60").with_body("slow\n down");
        assert_eq!(response.retry_after(), Some(Duration::from_mins(1)));
        let error = response.success().unwrap_err();
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
