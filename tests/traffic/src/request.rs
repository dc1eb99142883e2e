//! Requests over plain HTTP/1.1 to a port of loopback, one connection each: what a caller sees, and nothing in between that could retry or remember.

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

/// Asks for a path of a host at a port of 127.0.0.1.
///
/// # Errors
/// When nobody listens, the connection breaks, nothing comes in time, or what comes is not HTTP.
pub async fn get(port: u16, host: &str, path: &str) -> io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        parse(&answer).ok_or_else(|| io::Error::other(format!("no answer of HTTP: {answer:?}")))
    };
    timeout(PATIENCE, exchange).await?
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = parse("HTTP/1.1 404 Not Found\r\ndate: x\r\n\r\nno\r\n\r\nroute").unwrap();
        assert_eq!(answer, Answer { status: 404, body: "no\r\n\r\nroute".into() });
        assert_eq!(parse("SSH-2.0-x\r\n\r\n"), None);
    }
}
