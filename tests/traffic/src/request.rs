//! Requests over plain HTTP/1.1 to a port of loopback, one connection each: what a caller sees, and nothing in between that could retry or remember.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer from loopback takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// The headers of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(BTreeMap<String, String>);

/// A request without a body.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static str,
    host: String,
    path: String,
    headers: Vec<(&'static str, String)>,
}

// === impl Headers ===

impl Headers {
    /// A header, by its name in lower case. Of one that came several times, the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

// === impl Request ===

impl Request {
    /// A `GET` for a path of a host.
    pub fn get(host: &str, path: &str) -> Self {
        Self::of("GET", host, path)
    }

    /// A request with another method.
    pub fn of(method: &'static str, host: &str, path: &str) -> Self {
        Self { method, host: host.to_owned(), path: path.to_owned(), headers: Vec::new() }
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends it to a port of 127.0.0.1.
    ///
    /// # Errors
    /// When nobody listens, the connection breaks, nothing comes in time, or what comes is not HTTP.
    pub async fn send(&self, port: u16) -> io::Result<(Answer, Headers)> {
        let Self { method, host, path, headers } = self;
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("host: {host}"), "connection: close".into()];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let request = lines.join("\r\n") + "\r\n\r\n";
        let exchange = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            parse(&answer).ok_or_else(|| io::Error::other(format!("no answer of HTTP: {answer:?}")))
        };
        timeout(PATIENCE, exchange).await?
    }
}

/// Asks for a path of a host at a port of 127.0.0.1.
///
/// # Errors
/// As [`Request::send`].
pub async fn get(port: u16, host: &str, path: &str) -> io::Result<Answer> {
    Ok(Request::get(host, path).send(port).await?.0)
}

fn parse(text: &str) -> Option<(Answer, Headers)> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().into()));
    Some((Answer { status, body: body.to_owned() }, Headers(lines.filter_map(header).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let (answer, headers) = parse("HTTP/1.1 404 Not Found\r\nDate: x\r\n\r\nno\r\n\r\nroute").unwrap();
        assert_eq!((headers.get("date"), headers.get("age")), (Some("x"), None));
        assert_eq!(answer, Answer { status: 404, body: "no\r\n\r\nroute".into() });
        assert_eq!(parse("SSH-2.0-x\r\n\r\n"), None);
    }
}
