//! What identifies an object: its kind, namespace and name.

/// A kind of Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// `group/version`, or `version` alone for the core group.
    pub api_version: String,
    /// E.g. `VirtualService`.
    pub name: String,
}

/// One Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    /// The object's kind.
    pub kind: Kind,
    /// `None` for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl Kind {
    /// A kind by its `apiVersion` and name.
    pub fn new(api_version: &str, name: &str) -> Self {
        Self { api_version: api_version.to_owned(), name: name.to_owned() }
    }
}

impl ObjectRef {
    /// An object by kind, namespace and name.
    pub fn new(kind: Kind, namespace: Option<&str>, name: &str) -> Self {
        Self { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }
    }
}
