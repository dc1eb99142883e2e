//! `http`: HTTPS requests. No host can be granted yet, so every request is denied.

use wasmtime::Result;

use crate::bindings::mizzen::plugin::http;
use crate::bindings::mizzen::plugin::types::AccessError;
use crate::guest::Guest;

impl http::Host for Guest {
    async fn send(&mut self, request: http::Request) -> Result<Result<http::Response, AccessError>> {
        self.count()?;
        Ok(Err(AccessError::Denied(format!("no host is granted: {} was not sent", request.method))))
    }
}
