//! Sending requests and choosing their routes: [`Fetch`] knows the network, [`Routes`] knows the
//! grants.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;

use super::message::{HttpRequest, HttpResponse};
use crate::access::AccessError;

/// The destination of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Whether the connection has no TLS.
    pub plain: bool,
    /// In lower case; an IPv6 address without brackets.
    pub host: String,
    /// The port, explicit or the default of the scheme.
    pub port: u16,
}

/// The position of a request in a chain of redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The plugin's own request.
    First,
    /// A redirect within the origin (scheme, host and port) of the first request.
    SameOrigin,
    /// A redirect to another origin.
    Elsewhere,
}

/// How a request is sent to its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The header that authenticates: name and value.
    pub credential: Option<(String, Hidden)>,
    /// The proxy, if any.
    pub proxy: Option<Proxy>,
    /// Further certificate authorities in PEM, beside those of the system.
    pub authorities: Vec<Arc<str>>,
    /// Whether the target's certificate is not verified.
    pub unverified: bool,
    /// Non-public networks in which it may be.
    pub private: Vec<IpNet>,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its URL, possibly with user and password.
    pub url: Hidden,
    /// Non-public networks in which it may be.
    pub private: Vec<IpNet>,
}

/// A text that is never shown in logs or messages.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hidden(String);

/// Chooses the routes of one request of one call, by the grants.
#[async_trait]
pub trait Routes: Send + Sync {
    /// Checks whether the target is granted, and counts the request.
    ///
    /// # Errors
    /// [`AccessError::Denied`] if the target is not granted, or the limit of requests is reached.
    fn permit(&self, target: &Target, hop: Hop) -> Result<(), AccessError>;

    /// Returns the route to a granted target.
    ///
    /// # Errors
    /// [`AccessError::Unavailable`] if something that the route needs, such as a Secret, is not
    /// found.
    async fn route(&self, target: &Target, hop: Hop) -> Result<Route, AccessError>;

    /// The name of the reconciler: cached responses are not shared between reconcilers.
    fn asker(&self) -> &str;
}

/// Sends requests. Implemented on the network, by files, and by closures in tests.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Sends a request along its routes, and follows redirects that the routes grant.
    ///
    /// # Errors
    /// The errors that the contract defines for `http.send`.
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError>;
}

/// Fails every request: a host without a network.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNetwork;

#[async_trait]
impl Fetch for NoNetwork {
    async fn fetch(&self, _: HttpRequest, _: &dyn Routes) -> Result<HttpResponse, AccessError> {
        Err(AccessError::Unavailable("this host does not send requests".into()))
    }
}

// === impl Hidden ===

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, to be sent.
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
