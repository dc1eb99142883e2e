//! Real HTTPS servers on loopback, in the role of whatever a plugin asks: what they answer is a closure, and may change over time.
//!
//! ```no_run
//! # async fn example() {
//! use mizzen_testhttps::{Answer, Server};
//!
//! let api = Server::start(&["api.example.com"], |asked| match &*asked.path {
//!     "/v1/hosts" => Answer::json(&serde_json::json!({"hosts": ["a.example.com"]})),
//!     _ => Answer::status(404),
//! })
//! .await;
//! let url = format!("https://api.example.com:{}/v1/hosts", api.port());
//! // … asked by a client that trusts `api.authority()` and finds `api.example.com` at 127.0.0.1 …
//! api.answers(|_| Answer::status(503));
//! assert_eq!(api.asked().len(), 0);
//! # }
//! ```

#![expect(clippy::unwrap_used, reason = "what can't be set up on loopback is a test that fails")]

mod answer;
mod proxy;
mod server;
mod tls;

pub use answer::{Answer, Asked};
pub use proxy::Proxy;
pub use server::Server;
