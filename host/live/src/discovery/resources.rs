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

/// The path of a kind's API version.
pub(crate) fn root(kind: &Kind) -> String {
    if kind.group().is_empty() { format!("/api/{}", kind.version()) } else { format!("/apis/{}", kind.api_version) }
}

/// Lists the kinds of the API version of `kind`.
pub(crate) async fn fetch(link: &Link, kind: &Kind) -> Result<Resources, ReadError> {
    let list: List = link.get(&root(kind)).await.map_err(|fault| read_error(kind, &fault))?;
    Ok(sort(list))
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
