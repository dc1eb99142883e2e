//! Answers from files, in place of a network: for `plan` and `dev`.

use async_trait::async_trait;
use mizzen_model::http::{Canned, Fetch, Hop, Routes};
use mizzen_model::{AccessError, HttpRequest, HttpResponse};

use crate::exchange::Ask;
use crate::url;

/// Answers that were written down. A request that none was written for is not known: nothing is pruned for want of its answer.
#[derive(Clone, Debug, Default)]
pub struct Answers(Vec<Canned>);

// === impl Answers ===

impl Answers {
    /// These answers. Of two to the same request the later one counts.
    pub fn new(answers: Vec<Canned>) -> Self {
        Self(answers)
    }
}

#[async_trait]
impl Fetch for Answers {
    /// Refuses what the network's client would refuse, but needs no Secrets: the answers are there already.
    async fn fetch(&self, request: HttpRequest, routes: &dyn Routes) -> Result<HttpResponse, AccessError> {
        let url = url::parse(&request.url)?;
        routes.permit(&url::target(&url), Hop::First)?;
        Ask::of(&request, url)?;
        let matched = |answer: &&Canned| answer.matches(&request.method, &request.url);
        let best = self.0.iter().filter(|answer| matched(answer).is_some()).max_by_key(matched);
        best.map(|answer| answer.response.clone()).ok_or_else(|| {
            AccessError::Unavailable(format!(
                "no request is sent here, and no answer is written down for {} {}: add a document `kind: HttpAnswer` with this `spec.url`",
                request.method, request.url
            ))
        })
    }
}
