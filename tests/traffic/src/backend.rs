//! A backend whose responses name it and the path of the request.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on loopback. The body of every response is `<name> <path>`. It ends when this is dropped.
#[derive(Debug)]
pub struct Backend {
    port: u16,
    task: JoinHandle<()>,
}

// === impl Backend ===

impl Backend {
    /// Starts a backend of this name, on a free port.
    ///
    /// # Errors
    /// When it can't listen.
    pub async fn start(name: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client may close its connection at any time.
                tokio::spawn(async move { respond(stream, name).await.ok() });
            }
        });
        Ok(Self { port, task })
    }

    /// The port of 127.0.0.1 on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Handles one request, without a body, per connection.
async fn respond(stream: TcpStream, name: &str) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut line) = (String::new(), String::new());
    stream.read_line(&mut first).await?;
    while stream.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let body = format!("{name} {}", first.split(' ').nth(1).unwrap_or_default());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await
}
