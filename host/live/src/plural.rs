//! What a kind's resource is called when no API server can be asked.

use kube::core::{ApiResource, GroupVersionKind};
use mizzen_model::Kind;

/// The name in URLs and RBAC rules that a kind most likely has: English plurals, as nearly every definition chooses them. A guess.
pub fn likely_plural(kind: &Kind) -> String {
    ApiResource::from_gvk(&GroupVersionKind::gvk(kind.group(), kind.version(), &kind.name)).plural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_made_plural_as_english_has_it() {
        let plural = |name| likely_plural(&Kind::new("example.com/v1", name));
        assert_eq!(
            (plural("Policy"), plural("Gateway"), plural("Mesh")),
            ("policies".into(), "gateways".into(), "meshes".into())
        );
    }
}
