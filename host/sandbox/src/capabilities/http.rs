//! `http`: HTTPS requests, which [`mizzen_model::Reads`] grants, records and sends.

use std::time::Duration;

use mizzen_model::HttpRequest;
use wasmtime::Result;

use crate::bindings::mizzen::plugin::http;
use crate::bindings::mizzen::plugin::types::AccessError;
use crate::convert;
use crate::guest::Guest;

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Result<Result<http::Response, AccessError>> {
        self.count()?;
        let http::Request { method, url, headers, body, credential, max_age, timeout } = request;
        let (max_age, timeout) = (Duration::from_millis(max_age), Duration::from_millis(timeout));
        let response = self.reads.send(HttpRequest { method, url, headers, body, credential, max_age, timeout }).await;
        let response = response.map(|response| http::Response {
            status: response.status,
            headers: response.headers,
            body: response.body.to_vec(),
            age: u64::try_from(response.age.as_millis()).unwrap_or(u64::MAX),
        });
        Ok(response.map_err(convert::access_error))
    }
}
