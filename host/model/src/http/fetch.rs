//! Who sends requests, and who says by which way: the one knows the network, the other the grants.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;

use super::{HttpRequest, HttpResponse};
use crate::AccessError;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Whether without TLS.
    pub plain: bool,
    /// In lower case; an IPv6 address without brackets.
    pub host: String,
    /// The port, said or not.
    pub port: u16,
}

/// Which request on the way to an answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The one that was asked for.
    First,
    /// Where a redirect leads, at the origin (scheme, host and port) of the first.
    SameOrigin,
    /// Where a redirect leads, elsewhere.
    Elsewhere,
}

/// By which way a target is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// A header that authenticates, name and value.
    pub credential: Option<(String, Hidden)>,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
    /// Certificate authorities in PEM, beside the system's.
    pub authorities: Vec<Arc<str>>,
    /// Whether its certificate is not verified.
    pub unverified: bool,
    /// Networks that are not public and that it may be in.
    pub private: Vec<IpNet>,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its URL, be it with user and password.
    pub url: Hidden,
    /// Networks that are not public and that it may be in.
    pub private: Vec<IpNet>,
}

/// Text that no log line and no message shows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hidden(String);

/// Says by which way targets are asked, for one request of one call.
#[async_trait]
pub trait Routes: Send + Sync {
    /// Whether the target may be asked, and counts it.
    ///
    /// # Errors
    /// [`AccessError::Denied`] when it was not granted, or too many requests were made.
    fn permit(&self, target: &Target, hop: Hop) -> Result<(), AccessError>;

    /// The way to a target that is permitted.
    ///
    /// # Errors
    /// [`AccessError::Unavailable`] when something that the request is to be sent with is not there.
    async fn route(&self, target: &Target, hop: Hop) -> Result<Route, AccessError>;

    /// Who asks: answers are kept for each apart.
    fn asker(&self) -> &str;
}

/// Sends requests. Implemented on a network, by files, and by closures in tests.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends a request the ways that it is given, and follows redirects where they permit it.
    ///
    /// # Errors
    /// As `http.send` of the contract has it.
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError>;
}

/// Sends nothing: a host without a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNetwork;

#[async_trait]
impl Fetch for NoNetwork {
    async fn fetch(&self, _: HttpRequest, _: &dyn Routes) -> Result<HttpResponse, AccessError> {
        Err(AccessError::Unavailable("this host sends no requests".into()))
    }
}

// === impl Hidden ===

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for where it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, port) = (if self.plain { "http" } else { "https" }, self.port);
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{port}", self.host)
        } else {
            write!(f, "{scheme}://{}:{port}", self.host)
        }
    }
}
