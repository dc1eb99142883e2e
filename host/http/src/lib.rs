//! Sends the HTTPS requests of plugins. The only crate that knows an HTTP client.
//!
//! ```text
//!   request ─► checked ─► permitted ─► route ─► cache ─► client of the route ─► bounded response
//!                             ▲                               │ only to public or granted addresses
//!                             └────────── redirect ◄──────────┘
//! ```
//! [`Routes`](mizzen_model::http::Routes) decide which hosts get requests and by which route, again for each redirect.
//! The client resolves a name once, and connects to no other address than those that were checked: a name that leads
//! elsewhere when it is resolved again gains nothing.
//!
//! In place of the network, responses can be defined, as `plan` and tests do:
//!
//! ```
//! use std::time::Duration;
//!
//! use mizzen_http::CannedResponses;
//! use mizzen_model::http::{Fetch, Hop, Route, Routes, Target};
//! use mizzen_model::{AccessError, HttpRequest};
//!
//! /// Grants every host.
//! struct Granted;
//!
//! #[async_trait::async_trait]
//! impl Routes for Granted {
//!     fn permit(&self, _: &Target, _: Hop) -> Result<(), AccessError> {
//!         Ok(())
//!     }
//!     async fn route(&self, _: &Target, _: Hop) -> Result<Route, AccessError> {
//!         Ok(Route::default())
//!     }
//!     fn asker(&self) -> &str {
//!         "egress"
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let request = HttpRequest {
//!     method: "GET".into(),
//!     url: "https://api.example.com/v1/hosts".into(),
//!     headers: Vec::new(),
//!     body: None,
//!     credential: None,
//!     max_age: Duration::ZERO,
//!     timeout: Duration::ZERO,
//! };
//! let undefined = CannedResponses::default().fetch(request, &Granted).await.unwrap_err();
//! assert!(undefined.to_string().contains("https://api.example.com/v1/hosts"));
//! # }
//! ```

mod address;
mod cache;
mod canned;
mod client;
mod clients;
mod exchange;
mod identity;
mod leak;
mod limits;
mod resolve;
mod tls;
mod url;

pub use canned::CannedResponses;
pub use client::Client;
pub use resolve::{Lookup, SystemLookup};
