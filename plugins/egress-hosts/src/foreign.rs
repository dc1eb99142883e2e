//! Entries of other parties for the same hosts: a DynaKube's, or a user's own.
//!
//! Of two entries for one host Istio uses the older, and drops traffic to the ports of the other.
//! So a list yields: a target in a foreign entry is removed from the list's own entries, and added
//! again when the foreign entry is deleted. Foreign entries never yield, so there is no deadlock.
//! Addresses are ignored: several entries for an address have the same effect as one.

use std::collections::BTreeMap;

use mizzen_istio_egress::{Endpoint, Endpoints, Target, Visibility, service_entry};
use mizzen_sdk::{AccessError, Description, Query, Text, cluster};
use serde::Deserialize;

use crate::listed::Listed;

/// Name of the field set.
const ENTRIES: &str = "entries";
const HOSTS: &str = "spec.hosts[*]";
/// The most conditions in one query.
const AT_ONCE: usize = 64;

/// The label that only entries of lists have.
pub(crate) const MADE_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "mizzen");

#[derive(Debug, Deserialize)]
struct Entry {
    metadata: Metadata,
    #[serde(default)]
    spec: EntrySpec,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    creation_timestamp: Option<String>,
    #[serde(default)]
    namespace: String,
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EntrySpec {
    hosts: Vec<String>,
    ports: Vec<Port>,
    export_to: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Port {
    number: u16,
}

/// The targets that a list leaves to other entries.
#[derive(Debug, Default)]
pub(crate) struct Yielded {
    /// Each target, and the entry that has it.
    pub(crate) elsewhere: Vec<(Target, String)>,
    /// Ports that are not reachable because that entry lacks them.
    pub(crate) missing: Vec<String>,
}

pub(crate) fn declare(description: Description) -> Description {
    let paths = [
        HOSTS,
        "spec.ports[*].number",
        "spec.exportTo",
        "metadata.creationTimestamp",
        "metadata.labels['app.kubernetes.io/managed-by']",
    ];
    description.reads_fields(ENTRIES, service_entry(), &paths, "hosts that are in another party's entries")
}

/// Removes targets from a list that foreign entries have for all workloads of the list.
pub(crate) fn yield_to_others(
    listed: &mut Listed,
    namespace: &str,
    visibility: Visibility,
) -> Result<Yielded, AccessError> {
    let hosts: Vec<_> = listed.0.values().flat_map(Endpoints::targets).filter_map(name).collect();
    let mut entries = Vec::new();
    for hosts in hosts.chunks(AT_ONCE) {
        let tests = hosts.iter().map(|host| (HOSTS, Text::equals(host)));
        entries.extend(cluster::list::<Entry>(&Query::of(service_entry()).fields(ENTRIES).where_any(tests))?);
    }
    entries.retain(|entry| !entry.is_of_a_list() && entry.reaches(namespace, visibility));
    entries.sort_by(|a, b| a.age().cmp(&b.age()));
    let mut yielded = Yielded::default();
    for part in listed.0.values_mut() {
        let targets: Vec<Target> = part.targets().cloned().collect();
        for target in targets {
            let Some(entry) =
                name(&target).and_then(|host| entries.iter().find(|entry| entry.spec.hosts.contains(&host)))
            else {
                continue;
            };
            let lacks = |endpoint: &Endpoint| entry.spec.ports.iter().all(|own| own.number != endpoint.port().number());
            for endpoint in part.remove(&target).iter().filter(|endpoint| lacks(endpoint)) {
                yielded.missing.push(format!(
                    "port {} of {target} is not in {}, which Istio uses: add it there",
                    endpoint.port(),
                    entry.name()
                ));
            }
            yielded.elsewhere.push((target, entry.name()));
        }
    }
    Ok(yielded)
}

/// A target as it appears among the hosts of entries.
fn name(target: &Target) -> Option<String> {
    (!matches!(target, Target::Net(_))).then(|| target.to_string())
}

impl Entry {
    fn is_of_a_list(&self) -> bool {
        self.metadata.labels.get(MADE_BY.0).is_some_and(|by| by == MADE_BY.1)
    }

    /// Whether an entry applies to all the workloads of a list.
    fn reaches(&self, namespace: &str, visibility: Visibility) -> bool {
        let export = &self.spec.export_to;
        let to = |namespace: &str| export.iter().any(|own| own == namespace);
        let to_all = export.is_empty() || to("*");
        to_all
            || visibility == Visibility::Namespace && (to(namespace) || self.metadata.namespace == namespace && to("."))
    }

    fn age(&self) -> (bool, &Option<String>, &str, &str) {
        let Metadata { creation_timestamp, namespace, name, .. } = &self.metadata;
        (creation_timestamp.is_none(), creation_timestamp, namespace, name)
    }

    fn name(&self) -> String {
        format!("ServiceEntry {}/{}", self.metadata.namespace, self.metadata.name)
    }
}
