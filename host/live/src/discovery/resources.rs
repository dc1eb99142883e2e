//! Discovery of the kinds of one API version.

use std::collections::BTreeMap;

use mizzen_cluster::ReadError;
use mizzen_model::Kind;
use serde::Deserialize;

use crate::errors::read_error;
use crate::link::Link;

/// The kinds of one API version, by name.
pub(crate) type Resources = BTreeMap<String, Resource>;

/// One kind, as discovery describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
    pub(crate) status: bool,
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    resources: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    kind: String,
    namespaced: bool,
}

/// The versions of an API group, or of the core group.
#[derive(Debug, Deserialize)]
struct Group {
    versions: Vec<GroupVersion>,
}

/// A version: with its group, or, of the core group, its name alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum GroupVersion {
    Name(String),
    Named { version: String },
}

impl GroupVersion {
    fn name(self, group: &str) -> String {
        match self {
            Self::Name(version) => version,
            Self::Named { version } => format!("{group}/{version}"),
        }
    }
}

/// The path of a kind's API version.
pub(crate) fn root(kind: &Kind) -> String {
    if kind.group().is_empty() { format!("/api/{}", kind.version()) } else { format!("/apis/{}", kind.api_version) }
}

/// Lists the kinds of the API version of `kind`.
pub(crate) async fn fetch(link: &Link, kind: &Kind) -> Result<Resources, ReadError> {
    let list: List = link.get(&root(kind)).await.map_err(|fault| read_error(kind, &fault))?;
    Ok(sort(list))
}

/// A version in which the group of `kind` has it, that of `kind` before others.
pub(crate) async fn version_of(link: &Link, kind: &Kind) -> Result<Option<Kind>, ReadError> {
    let group = kind.group();
    let path = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
    let mut versions: Vec<String> = match link.get::<Group>(&path).await {
        Ok(Group { versions }) => versions.into_iter().map(|own| own.name(group)).collect(),
        Err(fault) if fault.code() == 404 => Vec::new(),
        Err(fault) => return Err(read_error(kind, &fault)),
    };
    versions.sort_by_key(|version| *version != *kind.api_version);
    for version in versions {
        let other = Kind::new(version, &*kind.name);
        match fetch(link, &other).await {
            Ok(resources) if resources.contains_key(&*kind.name) => return Ok(Some(other)),
            Ok(_) | Err(ReadError::NotServed(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn sort(list: List) -> Resources {
    let (parts, wholes): (Vec<_>, Vec<_>) = list.resources.into_iter().partition(|entry| entry.name.contains('/'));
    let mut resources = Resources::new();
    for Entry { name, kind, namespaced } in wholes {
        let status = parts.iter().any(|part| part.name.strip_prefix(&name) == Some("/status"));
        // A kind that is served under two names is known by the first.
        resources.entry(kind).or_insert(Resource { plural: name, namespaced, status });
    }
    resources
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_subresource_is_one_that_discovery_lists() {
        let list = json!({"resources": [
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["get"]},
            {"name": "pods/status", "kind": "Pod", "namespaced": true},
            {"name": "pods/eviction", "kind": "Eviction", "namespaced": true},
            {"name": "namespaces", "kind": "Namespace", "namespaced": false},
        ]});
        let resources = sort(serde_json::from_value(list).unwrap());
        assert_eq!(resources["Pod"], Resource { plural: "pods".into(), namespaced: true, status: true });
        assert_eq!(resources["Namespace"], Resource { plural: "namespaces".into(), namespaced: false, status: false });
        assert_eq!(resources.len(), 2, "a subresource is not a kind");
    }
}
