//! HTTP clients, one for each route: only requests by the same route share connections.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mizzen_model::http::{Route, Target};
use mizzen_model::{AccessError, Digest};
use quick_cache::sync::Cache;
use reqwest::redirect;

use crate::address::is_allowed;
use crate::identity::identity;
use crate::limits;
use crate::resolve::{Lookup, Resolver, refused};
use crate::tls;
use crate::url::host_of;

/// Idle connections that a client keeps to one host.
const IDLE_CONNECTIONS: usize = 2;

/// How long a client keeps them.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// The clients of the routes that were used most recently.
pub(crate) struct Clients {
    lookup: Arc<dyn Lookup>,
    kept: Cache<Digest, reqwest::Client>,
}

impl Clients {
    pub(crate) fn new(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup, kept: Cache::new(limits::CLIENTS) }
    }

    /// Returns the client of a route.
    ///
    /// # Errors
    /// [`AccessError::Denied`] for an address that is not granted, [`AccessError::Unavailable`] for an invalid proxy or
    /// invalid authorities.
    pub(crate) fn of(&self, target: &Target, route: &Route) -> Result<reqwest::Client, AccessError> {
        // Names are checked when they are resolved; addresses are not resolved.
        admit(&target.host, &route.private)?;
        self.kept.get_or_insert_with(&identity(route), || self.build(route))
    }

    fn build(&self, route: &Route) -> Result<reqwest::Client, AccessError> {
        let unavailable = |why: String| AccessError::Unavailable(why);
        let invalid = || unavailable("the proxy's URL is not valid".into());
        let private = route.proxy.as_ref().map_or(&route.private, |proxy| &proxy.private).clone();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(route).map_err(|error| unavailable(error.to_string()))?)
            .dns_resolver(Arc::new(Resolver { lookup: Arc::clone(&self.lookup), private: private.clone() }))
            .user_agent(concat!("mizzen/", env!("CARGO_PKG_VERSION")))
            // Redirects are followed by the caller, where the grants permit it.
            .redirect(redirect::Policy::none())
            .connect_timeout(limits::CONNECT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIME)
            // Proxies of the environment are for the host's own requests.
            .no_proxy()
            .referer(false);
        if let Some(proxy) = &route.proxy {
            admit(&host_of(proxy.url.reveal()).ok_or_else(invalid)?, &private)?;
            builder = builder.proxy(reqwest::Proxy::all(proxy.url.reveal()).map_err(|_| invalid())?);
        }
        builder.build().map_err(|error| unavailable(format!("no HTTP client can be made: {error}")))
    }
}

/// Checks a host that is an address.
fn admit(host: &str, private: &[ipnet::IpNet]) -> Result<(), AccessError> {
    match host.parse::<IpAddr>() {
        Ok(address) if !is_allowed(address, private) => Err(AccessError::Denied(refused(host, address).0)),
        _ => Ok(()),
    }
}
