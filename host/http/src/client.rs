//! The client: checks, cache, redirects, time.

use std::sync::Arc;

use async_trait::async_trait;
use mizzen_model::http::{Fetch, Hop, Routes};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};
use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use crate::cache::{Cache, key};
use crate::clients::Clients;
use crate::exchange::{Ask, place, receive};
use crate::leak::Sent;
use crate::limits;
use crate::resolve::{Lookup, SystemLookup};
use crate::url;

/// Sends requests on the network. Connections and answers are kept for whoever may share them; clones share all.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    clients: Clients,
    cache: Cache,
}

// === impl Client ===

impl Client {
    /// A client that finds addresses as the system does.
    pub fn new() -> Self {
        Self::with_lookup(Arc::new(SystemLookup))
    }

    /// A client that finds addresses in a way of its own.
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
        let late = || AccessError::Unavailable(format!("{}: no whole answer within {time:?}", place(&url)));
        let answer = tokio::time::timeout(time, self.0.answer(&request, url.clone(), routes)).await;
        answer.unwrap_or_else(|_| Err(late()))
    }
}

// === impl Shared ===

impl Shared {
    async fn answer(&self, request: &HttpRequest, url: Url, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let origin = url::target(&url);
        routes.permit(&origin, Hop::First)?;
        let mut ask = Ask::of(request, url)?;
        let mut route = routes.route(&origin, Hop::First).await?;
        let sent = Sent::of(&route);
        if sent.is_in(request.url.as_bytes()) {
            return Err(AccessError::Denied("the URL has the credential in it".into()));
        }
        let key = ask.is_safe().then(|| key(routes.asker(), request, &route));
        if let Some(kept) = key.and_then(|key| self.cache.find(&key, request)) {
            return Ok(kept);
        }
        let (mut target, mut stayed) = (origin.clone(), true);
        for _ in 0..=limits::REDIRECTS {
            let client = self.clients.of(&target, &route)?;
            let response = ask.send(&client, &route).await?;
            let Some(next) = redirect(&ask, &response, &sent)? else {
                let answer = receive(response, &ask.url, &sent).await?;
                // Where a redirect led elsewhere, the way on was this subject's alone.
                if let Some(key) = key
                    && stayed
                    && (200..300).contains(&answer.status)
                {
                    self.cache.keep(key, &answer);
                }
                return Ok(answer);
            };
            target = url::target(&next);
            let hop = if target == origin { Hop::SameOrigin } else { Hop::Elsewhere };
            stayed &= hop == Hop::SameOrigin;
            routes.permit(&target, hop).map_err(|error| match error {
                AccessError::Denied(why) => AccessError::Denied(format!("{origin} redirects to {target}: {why}")),
                other => other,
            })?;
            route = routes.route(&target, hop).await?;
            ask.onward(next, hop == Hop::SameOrigin);
        }
        Err(AccessError::Unavailable(format!("{origin}: more than {} redirects", limits::REDIRECTS)))
    }
}

/// Where an answer leads on to; `None`: nowhere. What changes something is not sent on: whether it was done already nobody knows.
fn redirect(ask: &Ask, response: &Response, sent: &Sent) -> Result<Option<Url>, AccessError> {
    if !ask.is_safe() || !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let nowhere = || AccessError::Unavailable(format!("{} redirects to what is no URL", place(&ask.url)));
    if sent.is_in(location.as_bytes()) {
        return Err(AccessError::Denied(format!("{} redirects with the credential in the URL", place(&ask.url))));
    }
    let location = location.to_str().map_err(|_| nowhere())?;
    let mut next = ask.url.join(location).map_err(|_| nowhere())?;
    next.set_fragment(None);
    url::parse(next.as_str()).map(Some)
}
