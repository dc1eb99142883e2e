//! Responses from files, in place of a network: for `plan` and `dev`.

use async_trait::async_trait;
use mizzen_model::http::{Canned, Fetch, Hop, Routes};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};

use crate::exchange::Outgoing;
use crate::url;

/// Responses that files define. To a request without one, the response is unknown, so nothing is pruned for want of it.
#[derive(Clone, Debug, Default)]
pub struct CannedResponses(Vec<Canned>);

impl CannedResponses {
    /// Serves these responses. Of two to the same request the later one counts.
    pub fn new(responses: Vec<Canned>) -> Self {
        Self(responses)
    }
}

#[async_trait]
impl Fetch for CannedResponses {
    /// Refuses what the network's client refuses, but needs no Secrets.
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let url = url::parse(&request.url)?;
        routes.permit(&url::target(&url), Hop::First)?;
        Outgoing::of(&request, url)?;
        let matched = |canned: &&Canned| canned.matches(&request.method, &request.url);
        let best = self.0.iter().filter(|canned| matched(canned).is_some()).max_by_key(matched);
        best.map(|canned| canned.response.clone()).ok_or_else(|| {
            AccessError::Unavailable(format!(
                "no request is sent here, and no document defines the response to {} {}: \
                 add one of `kind: HttpResponse` with this `spec.url`",
                request.method, request.url
            ))
        })
    }
}
