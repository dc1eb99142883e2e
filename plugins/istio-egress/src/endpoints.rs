//! Sets of endpoints: a port of a target speaks one protocol, and a target is one set's alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Endpoint, Port, Protocol, Target};

/// As many ports as an entry of Istio's has.
const PORTS: usize = 256;

/// The ports of a target, and what each speaks.
pub(crate) type Ports = BTreeMap<Port, Protocol>;

/// A set of endpoints in which each port of a target speaks one protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<Target, Ports>);

/// Why an endpoint does not become part of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The port speaks something else.
    #[error("port {port} of {target} speaks {kept} already, so it can't be {refused}, too")]
    Clash {
        /// Where.
        target: Target,
        /// At which port.
        port: Port,
        /// What it speaks.
        kept: Protocol,
        /// What it was said to speak.
        refused: Protocol,
    },
    /// There are too many.
    #[error("{0} has more than 256 ports, which is as many as an entry of Istio's has")]
    Ports(Target),
}

impl Endpoints {
    /// A set without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; one that is in the set already changes nothing.
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

    /// Takes a target out, with all of its ports.
    pub fn remove(&mut self, target: &Target) -> Vec<Endpoint> {
        let ports = self.0.remove(target).unwrap_or_default();
        ports.into_iter().map(|(port, protocol)| Endpoint::from_parts(target.clone(), port, protocol)).collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many targets there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is one of them.
    pub fn contains(&self, target: &Target) -> bool {
        self.0.contains_key(target)
    }

    /// Whether a refusal is of something that is among them.
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

/// Who decides what a port speaks, where several want something different of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// The first that wants it.
    First,
    /// The first, too, but whoever says HTTP yields to whoever says HTTPS.
    Secure,
}

/// Divides what several want, so that each target is in one set alone: the first one's that wants it, with the ports that all of them
/// want. (Two entries for one host are no more of it to Istio: it takes one, and traffic to the ports of the other goes nowhere.)
///
/// Gives as many sets as there were, and what was refused because two want something different of a port.
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
    // Whoever yields comes after all others, which changes nothing about whose a target is.
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
