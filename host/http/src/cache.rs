//! Responses that are kept for requests with a `max-age`. Each is kept for its reconciler, route and credential alone:
//! a response to one tenant is never given to another.

use mizzen_model::http::Route;
use mizzen_model::{Digest, HttpRequest, HttpResponse};
use quick_cache::Weighter;
use quick_cache::sync;
use tokio::time::Instant;

use crate::identity::identity;
use crate::limits;

/// Entries that the cache expects. So few keep it in one piece, as a response is large against the cache.
const EXPECTED: usize = 32;

/// A digest of everything that a response depends on.
pub(crate) type Key = Digest;

/// Responses by what they depend on.
pub(crate) struct Cache(sync::Cache<Key, Kept, Bytes>);

#[derive(Clone)]
struct Kept {
    since: Instant,
    response: HttpResponse,
}

/// Weighs a response by its bytes.
#[derive(Clone)]
struct Bytes;

/// Returns the key of a request's response, of what the host knows that it depends on.
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

impl Cache {
    pub(crate) fn new() -> Self {
        Self(sync::Cache::with_weighter(EXPECTED, limits::CACHE as u64, Bytes))
    }

    /// Returns a response that is young enough for the request.
    pub(crate) fn find(&self, key: &Key, request: &HttpRequest) -> Option<HttpResponse> {
        if request.max_age.is_zero() {
            return None;
        }
        let Kept { since, response } = self.0.get(key)?;
        let age = since.elapsed();
        (age <= request.max_age).then_some(HttpResponse { age, ..response })
    }

    /// Keeps a response, and as many of the others as there is room for.
    pub(crate) fn keep(&self, key: Key, response: &HttpResponse) {
        self.0.insert(key, Kept { since: Instant::now(), response: response.clone() });
    }
}

impl Weighter<Key, Kept> for Bytes {
    /// Counts something for the memory around a response, too: a million empty ones cost memory.
    fn weight(&self, _: &Key, Kept { response, .. }: &Kept) -> u64 {
        let headers: usize = response.headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        (response.body.len() + headers + 256) as u64
    }
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

    fn response(bytes: usize) -> HttpResponse {
        HttpResponse { status: 200, headers: Vec::new(), body: vec![0; bytes].into(), age: Duration::ZERO }
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_is_returned_until_it_is_older_than_the_requests_max_age() {
        let (cache, key) = (Cache::new(), key("r", &request(1), &of("x")));
        cache.keep(key, &response(1));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(cache.find(&key, &request(10)).unwrap().age, Duration::from_secs(10));
        assert!(cache.find(&key, &request(9)).is_none() && cache.find(&key, &request(0)).is_none());
    }

    #[test]
    fn a_response_to_one_tenant_is_never_given_to_another() {
        let one = key("r", &request(1), &of("x"));
        assert_ne!(one, key("r", &request(1), &of("y")), "another token");
        assert_ne!(one, key("s", &request(1), &of("x")), "another reconciler");
        assert_ne!(one, key("r", &request(1), &Route { unverified: true, ..of("x") }), "another route");
        assert_eq!(one, key("r", &request(2), &of("x")));
    }

    #[tokio::test]
    async fn the_cache_is_bounded_and_keeps_the_newest_and_the_used_responses() {
        let cache = Cache::new();
        let keys: Vec<_> = (0..40_u8).map(|n| Digest::of([n])).collect();
        for key in &keys {
            cache.keep(*key, &response(1 << 20));
            assert!(cache.find(key, &request(60)).is_some() && cache.find(&keys[0], &request(60)).is_some());
            assert!(cache.0.weight() <= limits::CACHE as u64);
        }
        let kept = keys.iter().filter(|key| cache.find(key, &request(60)).is_some()).count();
        assert_eq!(kept, 31, "as many as there is room for");
    }
}
