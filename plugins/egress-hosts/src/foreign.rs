//! Entries that others have for the same hosts: those of a DynaKube, or what somebody wrote by hand.
//!
//! Of two entries for one host Istio goes by the older, and traffic to the ports of the other goes nowhere. So a list yields: what somebody
//! else's entry has is left out of its own, and taken back when that goes. Others never yield, so nobody waits for anybody. Addresses are
//! passed over: entries of the same ones come to the same.

use std::collections::BTreeMap;

use mizzen_istio_egress::{Endpoint, Endpoints, Target, Visibility, service_entry};
use mizzen_sdk::{AccessError, Description, Query, Text, cluster};
use serde::Deserialize;

use crate::listed::Listed;

/// The field set.
const ENTRIES: &str = "entries";
const HOSTS: &str = "spec.hosts[*]";
/// As many texts as one question of the host's takes.
const AT_ONCE: usize = 64;

/// By which the entries of lists are told from others.
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

/// What was left out of a list.
#[derive(Debug, Default)]
pub(crate) struct Yielded {
    /// What stands in whose entry.
    pub(crate) elsewhere: Vec<(Target, String)>,
    /// Why some of it is not let through: that entry lacks the port.
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
    description.reads_fields(ENTRIES, service_entry(), &paths, "which hosts others have let through already")
}

/// Leaves out of a list what others have for the workloads that it is for.
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
                    "port {} of {target} is not in {}, which Istio goes by: add it there",
                    endpoint.port(),
                    entry.name()
                ));
            }
            yielded.elsewhere.push((target, entry.name()));
        }
    }
    Ok(yielded)
}

/// A target as entries name it among their hosts.
fn name(target: &Target) -> Option<String> {
    (!matches!(target, Target::Net(_))).then(|| target.to_string())
}

impl Entry {
    fn is_of_a_list(&self) -> bool {
        self.metadata.labels.get(MADE_BY.0).is_some_and(|by| by == MADE_BY.1)
    }

    /// Whether it is for all the workloads that a list is for.
    fn reaches(&self, namespace: &str, visibility: Visibility) -> bool {
        let export = &self.spec.export_to;
        let to = |whom: &str| export.iter().any(|own| own == whom);
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
