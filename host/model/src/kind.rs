//! References to kinds, and to objects.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A kind of Kubernetes object, e.g. `networking.istio.io/v1` `VirtualService`.
///
/// Cheap to clone: both halves are shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: Arc<str>,
    /// The name of the kind, e.g. `VirtualService`.
    #[serde(rename = "kind")]
    pub name: Arc<str>,
}

/// One Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<Arc<str>>,
    /// `metadata.name`.
    pub name: Arc<str>,
}

// === impl Kind ===

impl Kind {
    /// A kind by its `apiVersion` and name.
    pub fn new(api_version: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { api_version: api_version.as_ref().into(), name: name.as_ref().into() }
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether the API server itself defines the kind. All other kinds come from CRDs and
    /// aggregated API servers.
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

    /// Returns the document of a server-side apply to this object, with its identity alone:
    /// `apiVersion`, `kind`, `metadata.name`, `metadata.namespace` and `metadata.uid`. The uid
    /// keeps the apply from creating the object.
    pub fn document(&self, uid: &str) -> Value {
        let mut document = json!({});
        self.identify(&mut document, uid);
        document
    }

    /// Sets the identity as in [`ObjectRef::document`] in a document that has other fields already.
    pub fn identify(&self, document: &mut Value, uid: &str) {
        if !document.is_object() {
            *document = json!({});
        }
        document["apiVersion"] = json!(self.kind.api_version);
        document["kind"] = json!(self.kind.name);
        if !document["metadata"].is_object() {
            document["metadata"] = json!({});
        }
        let metadata = &mut document["metadata"];
        metadata["name"] = json!(self.name);
        metadata["uid"] = json!(uid);
        if let Some(namespace) = &self.namespace {
            metadata["namespace"] = json!(namespace);
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
    fn an_object_is_displayed_as_kind_namespace_and_name() {
        let object = ObjectRef::new(Kind::new("v1", "Pod"), Some("shop"), "cart");
        assert_eq!(object.to_string(), "Pod shop/cart");
        assert_eq!(ObjectRef::new(Kind::new("v1", "Node"), None, "n1").to_string(), "Node n1");
    }

    #[test]
    fn the_document_of_an_apply_has_the_identity_and_keeps_the_other_fields() {
        let object = ObjectRef::new(Kind::new("v1", "Pod"), Some("shop"), "cart");
        let mut document = json!({"metadata": {"labels": {"a": "b"}}, "spec": {}});
        object.identify(&mut document, "7");
        let metadata = json!({"name": "cart", "namespace": "shop", "uid": "7", "labels": {"a": "b"}});
        assert_eq!(document, json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}}));
        let node = ObjectRef::new(Kind::new("v1", "Node"), None, "n1");
        assert_eq!(node.document("8")["metadata"], json!({"name": "n1", "uid": "8"}));
    }
}
