//! The key of an object within the store of its kind.

use std::sync::Arc;

use mizzen_model::ObjectRef;

/// Namespace and name; cluster-scoped objects have no namespace.
pub(super) type Path = (Option<Arc<str>>, Arc<str>);

/// The path of an object.
pub(super) fn path(object: &ObjectRef) -> Path {
    (object.namespace.clone(), Arc::clone(&object.name))
}

/// The lower bound of the paths in a namespace.
pub(super) fn first_of(namespace: Option<&str>) -> Path {
    (namespace.map(Into::into), "".into())
}
