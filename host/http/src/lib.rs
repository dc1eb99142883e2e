//! Sends the HTTPS requests of plugins. The only crate that knows an HTTP client.
//!
//! ```text
//!   request ─► checked ─► cache ─► permit ─► route ─► client of that route ─► the answer, bounded ─► no credential in it? ─► answer
//!                                     ▲                    │ addresses: public, or granted
//!                                     └───── redirect ◄────┘
//! ```
//! Which hosts may be asked, and with what, is for [`Routes`](mizzen_model::http::Routes) to say, which is asked again for each redirect. A name
//! is resolved by the client itself, and it connects to no other address than those that were looked at: a name that leads elsewhere at a
//! second look gains nothing.

mod address;
mod cache;
mod canned;
mod client;
mod clients;
mod exchange;
mod leak;
mod limits;
mod resolve;
mod tls;
mod url;

pub use canned::Answers;
pub use client::Client;
pub use resolve::{Lookup, SystemLookup};
