//! The requests that a server receives, and its responses, valid or not.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http;
use axum::http::HeaderMap;
use futures::StreamExt;
use serde_json::Value;

/// A received request.
#[derive(Clone, Debug)]
pub struct Received {
    /// E.g. `GET`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query; empty without one.
    pub query: String,
    /// The headers; names in lower case.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Content,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Bytes),
    /// So many mebibytes, without their number in the headers.
    Mebibytes(usize),
    /// One byte, and then nothing, for ever.
    Stalls,
}

impl Received {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Response {
    /// A response with a status and an empty body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Content::Bytes(Bytes::new()), delay: Duration::ZERO }
    }

    /// A response with status 200 and JSON.
    pub fn json(body: &Value) -> Self {
        Self::text(&body.to_string()).header("content-type", "application/json")
    }

    /// A response with status 200 and a text, e.g. JSON that is cut off, or HTML.
    pub fn text(body: &str) -> Self {
        Self { body: Content::Bytes(Bytes::from(body.to_owned())), ..Self::status(200) }
    }

    /// A redirect with status 302.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// A response with status 200 and so many mebibytes, without their number in the headers.
    pub fn huge(mebibytes: usize) -> Self {
        Self { body: Content::Mebibytes(mebibytes), ..Self::status(200) }
    }

    /// A response with status 200 and one byte, which never ends.
    pub fn stalling() -> Self {
        Self { body: Content::Stalls, ..Self::status(200) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Delays the response.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(crate) async fn send(self) -> http::Response<Body> {
        tokio::time::sleep(self.delay).await;
        let body = match self.body {
            Content::Bytes(bytes) => Body::from(bytes),
            Content::Mebibytes(number) => {
                let mebibyte = Bytes::from(vec![b'x'; 1 << 20]);
                Body::from_stream(futures::stream::iter(vec![Ok::<_, Infallible>(mebibyte); number]))
            }
            Content::Stalls => {
                let first = futures::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
                Body::from_stream(first.chain(futures::stream::pending()))
            }
        };
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}
