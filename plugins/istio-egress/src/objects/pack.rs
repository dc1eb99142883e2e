//! Which targets share an entry: every target of an entry is reached at every port of it.

use std::collections::BTreeMap;

use crate::endpoints::Ports;
use crate::{Port, Protocol, Target};

/// As many ports as an entry has.
const PORTS: usize = 256;

/// Which targets share an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// As many as can: then each is let through at the ports of all. What Dynatrace's operator does, for hosts that are all Dynatrace's.
    Together,
    /// Those with the same ports: then nothing is let through that was not asked for.
    ByPorts,
}

/// What one entry holds.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) targets: Vec<(&'a Target, &'a Ports)>,
    pub(super) ports: BTreeMap<Port, Protocol>,
}

/// Puts each target into the first entry that it fits into.
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
