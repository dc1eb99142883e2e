//! Real HTTPS servers on loopback, in the role of the servers that plugins use. Their responses are
//! a closure, which can be replaced.
//!
//! ```no_run
//! # async fn example() {
//! use mizzen_testhttps::{Response, Server};
//!
//! let api = Server::start(&["api.example.com"], |request| match &*request.path {
//!     "/v1/hosts" => Response::json(&serde_json::json!({"hosts": ["a.example.com"]})),
//!     _ => Response::status(404),
//! })
//! .await;
//! let url = format!("https://api.example.com:{}/v1/hosts", api.port());
//! // … a client that trusts `api.authority()` and resolves `api.example.com` to 127.0.0.1 sends requests …
//! api.respond(|_| Response::status(503));
//! assert_eq!(api.requests().len(), 0);
//! # }
//! ```

#![expect(clippy::unwrap_used, reason = "what can't be set up on loopback is a test that fails")]

mod exchange;
mod proxy;
mod server;
mod tls;

pub use exchange::{Received, Response};
pub use proxy::Proxy;
pub use server::Server;
