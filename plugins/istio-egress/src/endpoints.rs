//! Sets of endpoints: a port of a target has one protocol, and a target belongs to one set.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Endpoint, Port, Protocol, Target};

/// The most ports that an Istio entry can have.
const PORTS: usize = 256;

/// The ports of a target, with their protocols.
pub(crate) type Ports = BTreeMap<Port, Protocol>;

/// A set of endpoints in which each port of a target has one protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<Target, Ports>);

/// Why an endpoint can't be added to a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The port has another protocol.
    #[error("port {port} of {target} is {kept} already, so it can't be {refused}, too")]
    Clash {
        /// The target.
        target: Target,
        /// Its port.
        port: Port,
        /// The protocol in the set.
        kept: Protocol,
        /// The protocol of the refused endpoint.
        refused: Protocol,
    },
    /// The target has too many ports.
    #[error("{0} has more than 256 ports, the most that an Istio entry can have")]
    Ports(Target),
}

impl Endpoints {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint; one that is in the set already changes nothing.
    pub fn add(&mut self, endpoint: Endpoint) -> Result<(), Refusal> {
        let (target, port, protocol) = endpoint.into_parts();
        self.insert(target, port, protocol)
    }

    fn insert(&mut self, target: Target, port: Port, refused: Protocol) -> Result<(), Refusal> {
        let ports = self.0.entry(target.clone()).or_default();
        match ports.get(&port) {
            Some(&kept) if kept != refused => Err(Refusal::Clash { target, port, kept, refused }),
            None if ports.len() >= PORTS => Err(Refusal::Ports(target)),
            _ => {
                ports.insert(port, refused);
                Ok(())
            }
        }
    }

    /// Removes a target with all of its ports.
    pub fn remove(&mut self, target: &Target) -> Vec<Endpoint> {
        let ports = self.0.remove(target).unwrap_or_default();
        ports.into_iter().map(|(port, protocol)| Endpoint::from_parts(target.clone(), port, protocol)).collect()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of targets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it contains this target.
    pub fn contains(&self, target: &Target) -> bool {
        self.0.contains_key(target)
    }

    /// Whether a refusal is about one of its targets.
    pub fn concerns(&self, refusal: &Refusal) -> bool {
        match refusal {
            Refusal::Clash { target, port, refused, .. } => {
                self.0.get(target).and_then(|ports| ports.get(port)).is_some_and(|spoken| spoken == refused)
            }
            Refusal::Ports(target) => self.contains(target),
        }
    }

    /// The targets.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.0.keys()
    }

    /// The ports of a target.
    pub fn ports(&self, target: &Target) -> impl Iterator<Item = Port> {
        self.0.get(target).into_iter().flat_map(Ports::keys).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Target, &Ports)> {
        self.0.iter()
    }
}

/// Which set decides about a port's protocol, if several want different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first set that wants it.
    First,
    /// The first set, except that HTTP yields to HTTPS.
    Secure,
}

/// Divides sets so that each target is in one of them: the first that wants it, with the ports that
/// all of them want. (With two entries for one host, Istio uses one, and drops traffic to the ports
/// of the other.)
///
/// Returns as many sets as were given, and the endpoints that were refused because two sets want
/// different protocols for a port.
pub fn divide(wanted: &[Endpoints], precedence: Precedence) -> (Vec<Endpoints>, Vec<Refusal>) {
    let mut owners: BTreeMap<&Target, usize> = BTreeMap::new();
    let mut sets = vec![Endpoints::new(); wanted.len()];
    let mut refused = Vec::new();
    let secure: BTreeSet<(&Target, Port)> = wanted
        .iter()
        .filter(|_| precedence == Precedence::Secure)
        .flat_map(Endpoints::iter)
        .flat_map(|(target, ports)| ports.iter().map(move |(&port, spoken)| (target, port, spoken)))
        .filter_map(|(target, port, spoken)| (*spoken == Protocol::Https).then_some((target, port)))
        .collect();
    // Endpoints that yield come last, which does not change which set has a target.
    for yielding in [false, true] {
        for (at, set) in wanted.iter().enumerate() {
            for (target, ports) in set.iter() {
                let owner = *owners.entry(target).or_insert(at);
                for (&port, &protocol) in ports {
                    let yields = protocol == Protocol::Http && secure.contains(&(target, port));
                    if yields == yielding {
                        refused.extend(sets[owner].insert(target.clone(), port, protocol).err());
                    }
                }
            }
        }
    }
    (sets, refused)
}
