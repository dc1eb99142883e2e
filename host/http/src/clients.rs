//! A client for each way to ask: connections are shared by those who ask the same way, and by nobody else.

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use mizzen_model::http::{Route, Target};
use mizzen_model::{AccessError, Digest};
use reqwest::redirect;

use crate::address::is_allowed;
use crate::limits;
use crate::resolve::{Lookup, Resolver, refused};
use crate::tls;
use crate::url::host_of;

/// Idle connections of one client to one host, and for how long.
const IDLE: (usize, Duration) = (2, Duration::from_secs(30));

/// The clients that were asked last.
pub(crate) struct Clients {
    lookup: Arc<dyn Lookup>,
    kept: Mutex<LruCache<Digest, reqwest::Client>>,
}

// === impl Clients ===

impl Clients {
    pub(crate) fn new(lookup: Arc<dyn Lookup>) -> Self {
        let most = NonZero::new(limits::CLIENTS).unwrap_or(NonZero::<usize>::MIN);
        Self { lookup, kept: Mutex::new(LruCache::new(most)) }
    }

    /// The client for a way to ask.
    ///
    /// # Errors
    /// [`AccessError::Denied`] for an address that is not granted; [`AccessError::Unavailable`] for a proxy or authorities that make no sense.
    pub(crate) fn of(&self, target: &Target, route: &Route) -> Result<reqwest::Client, AccessError> {
        // Names are looked at when they are resolved; what is an address already is not resolved.
        admit(&target.host, &route.private)?;
        let identity = identity(route);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = kept.get(&identity) {
            return Ok(client.clone());
        }
        let client = self.build(route)?;
        kept.put(identity, client.clone());
        Ok(client)
    }

    fn build(&self, route: &Route) -> Result<reqwest::Client, AccessError> {
        let unavailable = |why: String| AccessError::Unavailable(why);
        let private = route.proxy.as_ref().map_or(&route.private, |proxy| &proxy.private).clone();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&route.authorities, route.unverified).map_err(unavailable)?)
            .dns_resolver(Arc::new(Resolver { lookup: Arc::clone(&self.lookup), private: private.clone() }))
            .user_agent(concat!("mizzen/", env!("CARGO_PKG_VERSION")))
            // Redirects are followed where the grants permit it, by whoever asks them.
            .redirect(redirect::Policy::none())
            .connect_timeout(limits::CONNECT)
            .pool_max_idle_per_host(IDLE.0)
            .pool_idle_timeout(IDLE.1)
            // What the environment says of proxies is said of the host's own requests.
            .no_proxy()
            .referer(false);
        if let Some(proxy) = &route.proxy {
            let host =
                host_of(proxy.url.reveal()).ok_or_else(|| unavailable("the proxy's URL makes no sense".into()))?;
            admit(&host, &private)?;
            let proxy = reqwest::Proxy::all(proxy.url.reveal());
            builder = builder.proxy(proxy.map_err(|_| unavailable("the proxy's URL makes no sense".into()))?);
        }
        builder.build().map_err(|error| unavailable(format!("no client could be made: {error}")))
    }
}

fn admit(host: &str, private: &[ipnet::IpNet]) -> Result<(), AccessError> {
    match host.parse::<IpAddr>() {
        Ok(address) if !is_allowed(address, private) => Err(AccessError::Denied(refused(host, address).0)),
        _ => Ok(()),
    }
}

/// What two routes must have in common to share connections and answers: all but the credential.
pub(crate) fn identity(route: &Route) -> Digest {
    let Route { credential: _, proxy, authorities, unverified, private } = route;
    let authorities: Vec<_> = authorities.iter().map(|pem| Digest::of(pem.as_bytes())).collect();
    let proxy = proxy.as_ref().map(|proxy| (&proxy.private, proxy.url.reveal()));
    let text = format!("{unverified} {private:?} {authorities:?} {proxy:?}");
    Digest::of(text)
}
