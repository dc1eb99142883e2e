//! The target of traffic: a host by its full name, all hosts below a domain, or addresses. Targets
//! inside the cluster, and others that the mesh must not treat as external, are not valid.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use mizzen_sdk::names::is_label;

/// The target of traffic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// One host.
    Host(Host),
    /// All hosts below a domain.
    Wildcard(Wildcard),
    /// Addresses.
    Net(Net),
}

/// The full name of a host outside the cluster, in lower case, e.g. `api.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host(String);

/// All hosts below a domain, e.g. `*.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wildcard(Host);

/// A network, or one address as a network: `/32` for IPv4, `/128` for IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Net(IpNet);

/// Why a text is not a valid target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {fault}")]
pub struct TargetError {
    text: String,
    fault: TargetFault,
}

/// What is wrong with a target: the end of a sentence that begins with the target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// It is not a valid DNS name.
    #[error(
        "is not a valid host name: write labels of letters, digits and `-`, 1 to 63 characters each, 253 in all, \
         separated by dots"
    )]
    Name,
    /// It is a name that the cluster's DNS completes.
    #[error("is a short name, which means another host in each namespace: write the full one, e.g. `name.example.com`")]
    Short,
    /// It is inside the cluster.
    #[error("is inside the cluster: the mesh knows it already")]
    Inside,
    /// It is an address where a name is expected.
    #[error("is an address, not a name")]
    Address,
    /// It is neither an address nor a network.
    #[error("is neither an address nor a network such as `10.0.0.0/8`")]
    Net,
    /// Its address has bits that its prefix length does not cover.
    #[error("has bits set beyond its prefix: write `{meant}`, or the address alone")]
    Bits {
        /// The network that it is in.
        meant: Net,
    },
    /// It is everything.
    #[error("is every address there is: a mesh that may reach them all has the outbound traffic policy `ALLOW_ANY`")]
    Everything,
    /// It is, or contains, addresses that nothing external has.
    #[error("contains loopback, link-local, multicast, broadcast or unspecified addresses, which nothing external has")]
    Nowhere,
}

/// The IPv4 addresses that nothing external has, as (first, last).
const NOWHERE_V4: [(Ipv4Addr, Ipv4Addr); 5] = [
    (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED),
    (Ipv4Addr::new(127, 0, 0, 0), Ipv4Addr::new(127, 255, 255, 255)),
    (Ipv4Addr::new(169, 254, 0, 0), Ipv4Addr::new(169, 254, 255, 255)),
    (Ipv4Addr::new(224, 0, 0, 0), Ipv4Addr::new(239, 255, 255, 255)),
    (Ipv4Addr::BROADCAST, Ipv4Addr::BROADCAST),
];

/// Those of IPv6. IPv4 addresses in IPv6 (`::ffff:0:0/96`) are treated as IPv4; a network that
/// contains all of them and more is refused.
const NOWHERE_V6: [(Ipv6Addr, Ipv6Addr); 4] = [
    (Ipv6Addr::UNSPECIFIED, Ipv6Addr::LOCALHOST),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, u16::MAX, u16::MAX)),
    (
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        Ipv6Addr::new(0xfebf, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX),
    ),
    (
        Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0),
        Ipv6Addr::new(u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX, u16::MAX),
    ),
];

// === impl TargetError ===

impl TargetError {
    fn new(text: &str, fault: TargetFault) -> Self {
        Self { text: text.to_owned(), fault }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong, without the text.
    pub fn fault(&self) -> &TargetFault {
        &self.fault
    }
}

// === impl Host ===

impl Host {
    /// Parses a name, in any case, with or without a final dot.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Err(TargetError::new(text, TargetFault::Address));
        }
        let labels: Vec<&str> = name.split('.').collect();
        // Some parsers take a name that ends in a number for an address.
        let numeric = labels.last().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() > 253 || numeric || !labels.iter().all(|label| is_label(label)) {
            return Err(TargetError::new(text, TargetFault::Name));
        }
        match labels.as_slice() {
            ["localhost"] | [.., "localhost" | "svc"] | [.., "cluster", "local"] => {
                Err(TargetError::new(text, TargetFault::Inside))
            }
            [_] => Err(TargetError::new(text, TargetFault::Short)),
            _ => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Wildcard ===

impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*.{}", self.0)
    }
}

// === impl Net ===

impl Net {
    /// Parses an address (`10.0.0.1`, `2001:db8::1`) or a network (`10.0.0.0/8`).
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let net = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => canonical(text.parse().map_err(|_| TargetError::new(text, TargetFault::Net))?),
        };
        if net != net.trunc() {
            return Err(TargetError::new(text, TargetFault::Bits { meant: Self(net.trunc()) }));
        }
        if net.prefix_len() == 0 {
            return Err(TargetError::new(text, TargetFault::Everything));
        }
        if has_nowhere(&net) {
            return Err(TargetError::new(text, TargetFault::Nowhere));
        }
        Ok(Self(net))
    }

    /// One address.
    pub fn single(address: IpAddr) -> Result<Self, TargetError> {
        Self::parse(&address.to_string())
    }
}

/// Converts a network of IPv4 addresses in IPv6 to IPv4.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(net, IpNet::V4)
}

/// Whether a network contains an address that nothing external has.
fn has_nowhere(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => NOWHERE_V4.iter().any(|&(first, last)| net.network() <= last && first <= net.broadcast()),
        IpNet::V6(net) => NOWHERE_V6.iter().any(|&(first, last)| net.network() <= last && first <= net.broadcast()),
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Target ===

impl Target {
    /// Parses a name, which may start with `*.`.
    pub fn name(text: &str) -> Result<Self, TargetError> {
        match text.strip_prefix("*.") {
            Some(domain) => Ok(Self::Wildcard(Wildcard(Host::parse(domain)?))),
            None => Ok(Self::Host(Host::parse(text)?)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Wildcard(wildcard) => wildcard.fmt(f),
            Self::Net(net) => net.fmt(f),
        }
    }
}
