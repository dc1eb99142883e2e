//! Which targets share an entry: each target of an entry is reachable at every port of it.

use std::collections::BTreeMap;

use crate::endpoints::Ports;
use crate::{Port, Protocol, Target};

/// The most ports that an entry can have.
const PORTS: usize = 256;

/// Which targets share an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// As many as possible: each is then allowed at the ports of all. Dynatrace's operator does
    /// this for its own hosts.
    Together,
    /// Targets with the same ports: nothing is allowed that was not requested.
    ByPorts,
}

/// The content of one entry.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) targets: Vec<(&'a Target, &'a Ports)>,
    pub(super) ports: BTreeMap<Port, Protocol>,
}

/// Adds each target to the first entry that it fits into.
pub(super) fn pack<'a>(
    targets: impl Iterator<Item = (&'a Target, &'a Ports)>,
    most: usize,
    grouping: Grouping,
) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for (target, ports) in targets {
        let fits = |entry: &&mut Entry<'_>| entry.targets.len() < most && entry.takes(ports, grouping);
        let at = entries.iter_mut().find(fits);
        let entry = match at {
            Some(entry) => entry,
            None => entries.push_mut(Entry::default()),
        };
        entry.targets.push((target, ports));
        entry.ports.extend(ports);
    }
    entries
}

impl Entry<'_> {
    fn takes(&self, ports: &Ports, grouping: Grouping) -> bool {
        match grouping {
            Grouping::ByPorts => self.ports == *ports,
            Grouping::Together => {
                let more = ports.keys().filter(|port| !self.ports.contains_key(port)).count();
                let agree = |(port, spoken)| self.ports.get(port).is_none_or(|own| own == spoken);
                self.ports.len() + more <= PORTS && ports.iter().all(agree)
            }
        }
    }
}
