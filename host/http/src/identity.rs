//! What routes must have in common to share connections and responses.

use mizzen_model::Digest;
use mizzen_model::http::Route;

/// Returns a digest of a route without its credential.
pub(crate) fn identity(route: &Route) -> Digest {
    let Route { credential: _, proxy, authorities, unverified, private } = route;
    let authorities: Vec<_> = authorities.iter().map(|pem| Digest::of(pem.as_bytes())).collect();
    let proxy = proxy.as_ref().map(|proxy| (&proxy.private, proxy.url.reveal()));
    let text = format!("{unverified} {private:?} {authorities:?} {proxy:?}");
    Digest::of(text)
}
