//! Names of things in a cluster: a kind, and one object of a kind.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A kind of Kubernetes object, e.g. `networking.istio.io/v1` `VirtualService`.
///
/// Cheap to clone: both halves are shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: Arc<str>,
    /// The kind's own name, e.g. `VirtualService`.
    #[serde(rename = "kind")]
    pub name: Arc<str>,
}

/// One Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<Arc<str>>,
    /// `metadata.name`.
    pub name: Arc<str>,
}

// === impl Kind ===

impl Kind {
    /// A kind from its `apiVersion` and name.
    pub fn new(api_version: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { api_version: api_version.as_ref().into(), name: name.as_ref().into() }
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether the API server itself defines the kind. All others come from CRDs and aggregated API servers.
    pub fn is_built_in(&self) -> bool {
        let group = self.group();
        !group.contains('.') || group.ends_with(".k8s.io")
    }

    /// The version within the group, e.g. `v1`.
    pub fn version(&self) -> &str {
        self.api_version.split_once('/').map_or(&*self.api_version, |(_, version)| version)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.name)
    }
}

// === impl ObjectRef ===

impl ObjectRef {
    /// A reference; `namespace` is `None` for cluster-scoped kinds.
    pub fn new(kind: Kind, namespace: Option<&str>, name: impl AsRef<str>) -> Self {
        Self { kind, namespace: namespace.map(Into::into), name: name.as_ref().into() }
    }

    /// `namespace/name`, or `name` alone for a cluster-scoped object.
    pub fn path(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.to_string(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name, self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_kind_has_an_empty_group() {
        let pod = Kind::new("v1", "Pod");
        assert_eq!((pod.group(), pod.version()), ("", "v1"));
        let route = Kind::new("networking.istio.io/v1", "VirtualService");
        assert_eq!((route.group(), route.version()), ("networking.istio.io", "v1"));
    }

    #[test]
    fn an_object_reads_as_kind_namespace_and_name() {
        let object = ObjectRef::new(Kind::new("v1", "Pod"), Some("shop"), "cart");
        assert_eq!(object.to_string(), "Pod shop/cart");
        assert_eq!(ObjectRef::new(Kind::new("v1", "Node"), None, "n1").to_string(), "Node n1");
    }
}
