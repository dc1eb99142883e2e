//! The client: checks requests, serves them from the cache, follows redirects, and limits their time.

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::http::{Fetch, Hop, Route, Routes, Target};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use crate::cache::{Cache, key};
use crate::clients::Clients;
use crate::exchange::{Outgoing, place, receive};
use crate::leak::Sent;
use crate::limits;
use crate::resolve::{Lookup, SystemLookup};
use crate::url;

/// Sends requests on the network. Connections and responses are kept for requests that may share them. Clones share
/// everything.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    clients: Clients,
    cache: Cache,
}

impl Client {
    /// Makes a client that resolves names by the system's name service.
    pub fn new() -> Self {
        Self::with_lookup(Arc::new(SystemLookup))
    }

    /// Makes a client that resolves names by `lookup`.
    pub fn with_lookup(lookup: Arc<dyn Lookup>) -> Self {
        Self(Arc::new(Shared { clients: Clients::new(lookup), cache: Cache::new() }))
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Fetch for Client {
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let url = url::parse(&request.url)?;
        let time = if request.timeout.is_zero() { limits::TIME } else { request.timeout.min(limits::TIME) };
        let late = || AccessError::Unavailable(format!("{}: no complete response within {time:?}", place(&url)));
        let response = tokio::time::timeout(time, self.0.fetch(&request, url.clone(), routes)).await;
        response.unwrap_or_else(|_| Err(late()))
    }
}

impl Shared {
    async fn fetch(&self, request: &HttpRequest, url: Url, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let origin = url::target(&url);
        routes.permit(&origin, Hop::First)?;
        let outgoing = Outgoing::of(request, url)?;
        let route = routes.route(&origin, Hop::First).await?;
        let sent = Sent::of(&route);
        if sent.is_in(request.url.as_bytes()) {
            return Err(AccessError::Denied("the URL contains the credential".into()));
        }
        let key = outgoing.is_safe().then(|| key(routes.asker(), request, &route));
        if let Some(kept) = key.and_then(|key| self.cache.find(&key, request)) {
            return Ok(kept);
        }
        let (response, sharing) = self.follow(outgoing, origin, route, &sent, routes).await?;
        if let (Some(key), Sharing::SameOrigin, 200..300) = (key, sharing, response.status) {
            self.cache.keep(key, &response);
        }
        Ok(response)
    }

    /// Sends a request, and follows redirects where the routes permit it.
    async fn follow(
        &self,
        mut outgoing: Outgoing,
        origin: Target,
        mut route: Route,
        sent: &Sent,
        routes: &dyn Routes,
    ) -> Result<(HttpResponse, Sharing), AccessError> {
        let (mut target, mut sharing) = (origin.clone(), Sharing::SameOrigin);
        for _ in 0..=limits::REDIRECTS {
            let client = self.clients.of(&target, &route)?;
            let response = outgoing.send(&client, &route).await?;
            let Some(next) = redirect(&outgoing, &response, sent)? else {
                return Ok((receive(response, outgoing.url(), sent).await?, sharing));
            };
            target = url::target(&next);
            let hop = if target == origin { Hop::SameOrigin } else { Hop::Elsewhere };
            if hop == Hop::Elsewhere {
                sharing = Sharing::Never;
            }
            routes.permit(&target, hop).map_err(|error| match error {
                AccessError::Denied(why) => AccessError::Denied(format!("{origin} redirects to {target}: {why}")),
                other => other,
            })?;
            route = routes.route(&target, hop).await?;
            outgoing.redirect(next, hop);
        }
        Err(AccessError::Unavailable(format!("{origin}: more than {} redirects", limits::REDIRECTS)))
    }
}

/// Whether other requests by the same route may get a response from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// They may: it came from the origin.
    SameOrigin,
    /// A redirect led elsewhere, which was permitted for this subject alone.
    Never,
}

/// Returns where a response redirects to, if it does. Requests that change something are not redirected: the server may
/// have carried them out already.
fn redirect(outgoing: &Outgoing, response: &Response, sent: &Sent) -> Result<Option<Url>, AccessError> {
    if !outgoing.is_safe() || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let place = || place(outgoing.url());
    let invalid = || AccessError::Unavailable(format!("{} redirects to an invalid URL", place()));
    if sent.is_in(location.as_bytes()) {
        return Err(AccessError::Denied(format!("{} redirects with the credential in the URL", place())));
    }
    let location = location.to_str().map_err(|_| invalid())?;
    let mut next = outgoing.url().join(location).map_err(|_| invalid())?;
    next.set_fragment(None);
    url::parse(next.as_str()).map(Some)
}
