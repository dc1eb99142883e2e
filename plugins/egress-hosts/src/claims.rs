//! Which list's entries contain a target that several lists name: the oldest's.

use mizzen_istio_egress::{Endpoints, Part, Precedence, Refusal, Target, divide};
use mizzen_sdk::Subject;
use serde::Deserialize;
use serde_json::Value;

use crate::listed::Listed;

/// A list.
#[derive(Debug, Deserialize)]
pub(crate) struct Other {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    spec: Hosts,
    /// Whether it is the subject.
    #[serde(skip)]
    pub(crate) own: bool,
}

/// The identity of a list, ordered by age.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// As Kubernetes writes times: sorting the texts sorts the times. `None`: not in the cluster
    /// yet.
    #[serde(default)]
    creation_timestamp: Option<String>,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hosts {
    hosts: Vec<Value>,
}

/// The share of a list.
#[derive(Debug)]
pub(crate) struct Claims {
    /// Its own targets, with the ports that other lists want of them.
    pub(crate) own: Vec<(Option<Part>, Endpoints)>,
    /// Its targets that are in an older list's entries, and that list.
    pub(crate) elsewhere: Vec<(Target, String)>,
    /// Its endpoints that are refused.
    pub(crate) refused: Vec<Refusal>,
}

impl Other {
    pub(crate) fn youngest(subject: &Subject<Value>) -> Self {
        let (namespace, name) = (subject.metadata.namespace.clone(), subject.metadata.name.clone());
        Self { metadata: Metadata { creation_timestamp: None, namespace, name }, spec: Hosts::default(), own: true }
    }

    fn age(&self) -> (bool, &Option<String>, &Option<String>, &str) {
        let Metadata { creation_timestamp, namespace, name } = &self.metadata;
        (creation_timestamp.is_none(), creation_timestamp, namespace, name)
    }

    fn name(&self) -> String {
        format!("{}/{}", self.metadata.namespace.as_deref().unwrap_or_default(), self.metadata.name)
    }
}

impl Claims {
    /// Divides the targets among the lists. `listed` is the subject's own content.
    pub(crate) fn among(listed: &Listed, mut lists: Vec<Other>) -> Self {
        lists.sort_by(|a, b| a.age().cmp(&b.age()));
        let mut own = Vec::new();
        let (mut owners, mut wanted) = (Vec::new(), Vec::new());
        for list in &lists {
            let parts = if list.own { listed.clone() } else { Listed::salvage(&list.spec.hosts) };
            for (part, endpoints) in parts.0 {
                if list.own {
                    own.push((wanted.len(), part));
                }
                owners.push(list);
                wanted.push(endpoints);
            }
        }
        let (mut sets, mut refused) = divide(&wanted, Precedence::First);
        refused.retain(|refusal| own.iter().any(|(at, _)| wanted[*at].concerns(refusal)));
        let mut elsewhere = Vec::new();
        for target in own.iter().flat_map(|(at, _)| wanted[*at].targets()) {
            let owner = sets.iter().position(|set| set.contains(target));
            if let Some(list) = owner.and_then(|at| owners.get(at)).filter(|list| !list.own) {
                elsewhere.push((target.clone(), list.name()));
            }
        }
        elsewhere.sort();
        elsewhere.dedup();
        let own = own.into_iter().map(|(at, part)| (part, std::mem::take(&mut sets[at]))).collect();
        Self { own, elsewhere, refused }
    }
}
