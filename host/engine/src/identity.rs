//! The identity of an object: what remains the same whatever version of its kind it is served in.

use mizzen_model::{Kind, ObjectRef};

/// The group and kind, namespace and name of an object. `networking.istio.io/v1` and `/v1beta1` are
/// two views of the same objects, so a comparison of references would take one object for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

// === impl Identity ===

impl<'a> Identity<'a> {
    pub(crate) fn of(object: &'a ObjectRef) -> Self {
        let ObjectRef { kind, namespace, name } = object;
        Self { group: kind.group(), kind: &kind.name, namespace: namespace.as_deref(), name }
    }
}

/// The reference of an object without the version of its kind: an [`Identity`] to be kept.
pub(crate) fn versionless(object: &ObjectRef) -> ObjectRef {
    ObjectRef { kind: Kind::new(object.kind.group(), &object.kind.name), ..object.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_versions_of_an_object_have_one_identity_and_two_objects_have_two() {
        let object = |version: &str, name: &str| ObjectRef::new(Kind::new(version, "Box"), Some("a"), name);
        let (v1, beta) = (object("example.com/v1", "b"), object("example.com/v1beta1", "b"));
        assert_eq!(Identity::of(&v1), Identity::of(&beta));
        for other in [object("example.org/v1", "b"), object("example.com/v1", "c"), object("v1", "b")] {
            assert_ne!(Identity::of(&v1), Identity::of(&other), "{other}");
        }
    }
}
