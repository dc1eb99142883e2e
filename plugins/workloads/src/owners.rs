//! The workload that owns a pod.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Query, cluster};
use serde::Deserialize;

use crate::pods::{Found, OwnerReference};
use crate::read::{OWNERS, replica_set};
use crate::workload::{Controller, Workload};

#[derive(Deserialize)]
struct Owned {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Box<str>,
    namespace: Box<str>,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
}

/// The controller of an object with these owners; owners that do not control it are ignored.
pub(crate) fn controller(namespace: &str, owners: Vec<OwnerReference>) -> Option<Workload> {
    let owner = owners.into_iter().find(|owner| owner.controller)?;
    Some(Workload {
        namespace: namespace.into(),
        controller: Controller::of(&owner.api_version, &owner.kind),
        name: owner.name,
    })
}

/// Replaces ReplicaSets by their controllers: Deployments, or objects of other kinds. A ReplicaSet
/// without a controller stays; one that is deleted is removed, because its pods are being deleted,
/// too.
///
/// # Errors
/// If ReplicaSets can't be read.
pub(crate) fn lift(found: BTreeMap<Workload, Found>) -> Result<BTreeMap<Workload, Found>, AccessError> {
    let is_set = |workload: &Workload| workload.controller == Controller::ReplicaSet;
    let (mut sets, mut lifted): (BTreeMap<_, _>, BTreeMap<_, _>) =
        found.into_iter().partition(|(workload, _)| is_set(workload));
    if sets.is_empty() {
        return Ok(lifted);
    }
    for set in cluster::scan::<Owned>(&Query::of(replica_set()).fields(OWNERS))? {
        let Metadata { name, namespace, owner_references } = set?.metadata;
        let set = Workload { namespace, controller: Controller::ReplicaSet, name };
        if let Some((set, found)) = sets.remove_entry(&set) {
            let owner = controller(&set.namespace, owner_references).unwrap_or(set);
            lifted.entry(owner).and_modify(|own: &mut Found| own.merge(&found)).or_insert(found);
        }
    }
    Ok(lifted)
}
