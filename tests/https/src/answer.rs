//! What is asked of a server, and what it answers, be it nonsense.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response};
use futures::StreamExt;
use serde_json::Value;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// E.g. `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Empty when there was none.
    pub query: String,
    /// Names in lower case.
    pub headers: HeaderMap,
    /// Whole.
    pub body: Bytes,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: What,
    after: Duration,
}

#[derive(Clone, Debug)]
enum What {
    Bytes(Bytes),
    /// This often a mebibyte, without saying so before.
    Mebibytes(usize),
    /// One byte now, and then nothing, for ever.
    Stalls,
}

// === impl Asked ===

impl Asked {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

// === impl Answer ===

impl Answer {
    /// A status, and nothing more: 200 so is an empty answer.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: What::Bytes(Bytes::new()), after: Duration::ZERO }
    }

    /// Status 200, and JSON.
    pub fn json(body: &Value) -> Self {
        Self::text(&body.to_string()).header("content-type", "application/json")
    }

    /// Status 200, and a text: JSON that is cut off, or HTML.
    pub fn text(body: &str) -> Self {
        Self { body: What::Bytes(Bytes::from(body.to_owned())), ..Self::status(200) }
    }

    /// A redirect.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).header("location", to)
    }

    /// Status 200, and so many mebibytes without an announcement of their number.
    pub fn huge(mebibytes: usize) -> Self {
        Self { body: What::Mebibytes(mebibytes), ..Self::status(200) }
    }

    /// Status 200, one byte, and then nothing, for ever.
    pub fn stalling() -> Self {
        Self { body: What::Stalls, ..Self::status(200) }
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, after a while.
    #[must_use]
    pub fn after(mut self, while_: Duration) -> Self {
        self.after = while_;
        self
    }

    pub(crate) async fn send(self) -> Response<Body> {
        tokio::time::sleep(self.after).await;
        let body = match self.body {
            What::Bytes(bytes) => Body::from(bytes),
            What::Mebibytes(number) => {
                let mebibyte = Bytes::from(vec![b'x'; 1 << 20]);
                Body::from_stream(futures::stream::iter(vec![Ok::<_, Infallible>(mebibyte); number]))
            }
            What::Stalls => {
                let first = futures::stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{"))]);
                Body::from_stream(first.chain(futures::stream::pending()))
            }
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}
