//! Requests over plain HTTP/1.1 to a port of loopback, one connection each, without retries and caches.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No response from loopback takes longer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// By lower-case name.
    headers: BTreeMap<String, String>,
}

/// A request without a body.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    host: String,
    path: String,
    headers: Vec<(&'static str, String)>,
}

// === impl Response ===

impl Response {
    /// Returns a header by its lower-case name; the last one of several.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether the response has this status and body.
    pub fn is(&self, status: u16, body: &str) -> bool {
        self.status == status && self.body == body
    }
}

// === impl Request ===

impl Request {
    /// A `GET` of a path of a host.
    pub fn get(host: &str, path: &str) -> Self {
        Self::of("GET", host, path)
    }

    /// A request with another method.
    pub fn of(method: &'static str, host: &str, path: &str) -> Self {
        Self { method, host: host.to_owned(), path: path.to_owned(), headers: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends it to a port of 127.0.0.1.
    ///
    /// # Errors
    /// When the port does not listen, the connection breaks, there is no response in time, or it is not HTTP.
    pub async fn send(&self, port: u16) -> io::Result<Response> {
        let Self { method, host, path, headers } = self;
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("host: {host}"), "connection: close".into()];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let request = lines.join("\r\n") + "\r\n\r\n";
        let exchange = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            parse(&text).ok_or_else(|| io::Error::other(format!("not an HTTP response: {text:?}")))
        };
        timeout(TIMEOUT, exchange).await?
    }
}

/// Gets a path of a host from a port of 127.0.0.1.
///
/// # Errors
/// As [`Request::send`].
pub async fn get(port: u16, host: &str, path: &str) -> io::Result<Response> {
    Request::get(host, path).send(port).await
}

fn parse(text: &str) -> Option<Response> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().into()));
    Some(Response { status, body: body.to_owned(), headers: lines.filter_map(header).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_has_a_status_headers_and_a_body() {
        let response = parse("HTTP/1.1 404 Not Found\r\nDate: x\r\n\r\nno\r\n\r\nroute").unwrap();
        assert_eq!((response.header("date"), response.header("age")), (Some("x"), None));
        assert!(response.is(404, "no\r\n\r\nroute"), "{response:?}");
        assert_eq!(parse("SSH-2.0-x\r\n\r\n"), None);
    }
}
