//! HTTPS requests of plugins: their types, the rules for headers, and the traits that send them.

mod canned;
mod fetch;
mod header;
mod message;

pub use canned::{Canned, CannedError, UrlMatch, is_canned};
pub use fetch::{Fetch, Hidden, Hop, NoNetwork, Proxy, Route, Routes, Target};
pub use header::{HeaderRule, header_rule};
pub use message::{HttpRequest, HttpResponse};
