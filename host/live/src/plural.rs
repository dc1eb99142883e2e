//! The resource name of a kind, where there is no API server to ask.

use kube::core::{ApiResource, GroupVersionKind};
use mizzen_model::Kind;

/// Guesses the resource name of a kind, as URLs and RBAC rules have it: its English plural, as in
/// nearly every CRD.
pub fn likely_plural(kind: &Kind) -> String {
    ApiResource::from_gvk(&GroupVersionKind::gvk(kind.group(), kind.version(), &kind.name)).plural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plural_of_a_kind_is_guessed_as_in_english() {
        let plural = |name| likely_plural(&Kind::new("example.com/v1", name));
        assert_eq!(
            (plural("Policy"), plural("Gateway"), plural("Mesh")),
            ("policies".into(), "gateways".into(), "meshes".into())
        );
    }
}
