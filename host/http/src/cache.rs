//! Answers that are kept for those who don't need them fresh. Each is kept for its asker, its way and its credential alone: one tenant's
//! answer is never another's.

use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use mizzen_model::http::Route;
use mizzen_model::{Digest, HttpRequest, HttpResponse};
use tokio::time::Instant;

use crate::clients::identity;
use crate::limits;

/// What an answer is kept under.
pub(crate) type Key = Digest;

/// All of them, the one that was used last being the last to go.
pub(crate) struct Cache(Mutex<State>);

struct State {
    kept: LruCache<Key, (Instant, HttpResponse)>,
    bytes: usize,
}

/// What a request's answer depends on, as far as the host can know.
pub(crate) fn key(asker: &str, request: &HttpRequest, route: &Route) -> Key {
    let mut headers: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    headers.sort();
    let credential = match (&request.credential, &route.credential) {
        (Some(name), Some((header, value))) => format!("{name}\n{header}\n{}", value.reveal()),
        _ => String::new(),
    };
    let (route, headers) = (identity(route).to_string(), format!("{headers:?}"));
    let body = request.body.as_ref().map(|body| Digest::of(body).to_string()).unwrap_or_default();
    Digest::of_parts([
        asker.as_bytes(),
        request.method.as_bytes(),
        request.url.as_bytes(),
        headers.as_bytes(),
        body.as_bytes(),
        credential.as_bytes(),
        route.as_bytes(),
    ])
}

// === impl Cache ===

impl Cache {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { kept: LruCache::unbounded(), bytes: 0 }))
    }

    /// An answer that is young enough for the request.
    pub(crate) fn find(&self, key: &Key, request: &HttpRequest) -> Option<HttpResponse> {
        if request.max_age.is_zero() {
            return None;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, response) = state.kept.get(key)?;
        let age = since.elapsed();
        (age <= request.max_age).then(|| HttpResponse { age, ..response.clone() })
    }

    /// Keeps an answer, and as many of the others as there is room for.
    pub(crate) fn keep(&self, key: Key, response: &HttpResponse) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.bytes += size(response);
        if let Some((_, before)) = state.kept.put(key, (Instant::now(), response.clone())) {
            state.bytes -= size(&before);
        }
        while state.bytes > limits::CACHE
            && let Some((_, (_, least))) = state.kept.pop_lru()
        {
            state.bytes -= size(&least);
        }
    }
}

/// Bytes of an answer, with something for what surrounds it: a million empty ones cost memory, too.
fn size(response: &HttpResponse) -> usize {
    let headers: usize = response.headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
    response.body.len() + headers + 256
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mizzen_model::http::Hidden;

    use super::*;

    fn request(max_age: u64) -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            url: "https://a/".into(),
            headers: Vec::new(),
            body: None,
            credential: Some("token".into()),
            max_age: Duration::from_secs(max_age),
            timeout: Duration::ZERO,
        }
    }

    fn of(token: &str) -> Route {
        Route { credential: Some(("authorization".into(), Hidden::new(token))), ..Route::default() }
    }

    fn answer(bytes: usize) -> HttpResponse {
        HttpResponse { status: 200, headers: Vec::new(), body: vec![0; bytes].into(), age: Duration::ZERO }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_given_until_it_is_older_than_was_asked_for() {
        let (cache, key) = (Cache::new(), key("r", &request(1), &of("x")));
        cache.keep(key, &answer(1));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(cache.find(&key, &request(10)).unwrap().age, Duration::from_secs(10));
        assert!(cache.find(&key, &request(9)).is_none() && cache.find(&key, &request(0)).is_none());
    }

    #[test]
    fn one_tenants_answer_is_never_anothers() {
        let one = key("r", &request(1), &of("x"));
        assert_ne!(one, key("r", &request(1), &of("y")), "another token");
        assert_ne!(one, key("s", &request(1), &of("x")), "another reconciler");
        assert_ne!(one, key("r", &request(1), &Route { unverified: true, ..of("x") }), "another way");
        assert_eq!(one, key("r", &request(2), &of("x")));
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_the_last_used_stays() {
        let cache = Cache::new();
        let keys: Vec<_> = (0..40_u8).map(|n| Digest::of([n])).collect();
        for key in &keys {
            cache.keep(*key, &answer(1 << 20));
        }
        assert!(cache.find(&keys[0], &request(60)).is_none() && cache.find(&keys[39], &request(60)).is_some());
        assert!(cache.0.lock().unwrap().bytes <= limits::CACHE);
    }
}
