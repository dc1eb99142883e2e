//! A target, a port and a protocol: only combinations that Istio can route.

use std::fmt;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Host, Net, Target};

/// The protocol of a port, as Istio names it. Ordered by preference, for a port that has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// HTTP in TLS, passed through.
    Https,
    /// Anything in TLS, passed through.
    Tls,
    /// Plain HTTP.
    Http,
    /// Anything.
    Tcp,
}

/// A port, 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(NonZeroU16);

/// Why a number is not a valid port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a valid port: write a number from 1 to 65535")]
pub struct PortError(pub i64);

/// One external endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    target: Target,
    port: Port,
    protocol: Protocol,
}

/// Why a target, a port and a protocol do not make an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Names need a protocol.
    #[error("it is missing: write HTTP, HTTPS, TLS or TCP")]
    Missing,
    /// TCP does not carry the host's name, so a wildcard would allow all traffic to the port.
    #[error(
        "TCP does not carry the host's name, so that `{0}` would allow everything: write HTTP, \
         HTTPS or TLS, or full names"
    )]
    Everything(String),
    /// Traffic to an address can be distinguished by the address alone.
    #[error("{0} can't be distinguished from other traffic to an address: write TCP, or omit it")]
    ByAddress(Protocol),
}

// === impl Port ===

impl Port {
    /// Checks a number.
    pub fn new(number: i64) -> Result<Self, PortError> {
        u16::try_from(number).ok().and_then(NonZeroU16::new).map(Self).ok_or(PortError(number))
    }

    /// The number.
    pub fn number(self) -> u16 {
        self.0.get()
    }
}

impl From<NonZeroU16> for Port {
    fn from(number: NonZeroU16) -> Self {
        Self(number)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Protocol ===

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
        })
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// An endpoint. At addresses every protocol is [`Protocol::Tcp`], which may be omitted.
    pub fn new(target: Target, port: Port, protocol: Option<Protocol>) -> Result<Self, EndpointError> {
        let protocol = match (&target, protocol) {
            (Target::Net(_), None | Some(Protocol::Tcp)) => Protocol::Tcp,
            (Target::Net(_), Some(other)) => return Err(EndpointError::ByAddress(other)),
            (_, None) => return Err(EndpointError::Missing),
            (Target::Wildcard(all), Some(Protocol::Tcp)) => return Err(EndpointError::Everything(all.to_string())),
            (_, Some(protocol)) => protocol,
        };
        Ok(Self { target, port, protocol })
    }

    /// A host can have any protocol.
    pub(crate) fn of_host(host: Host, port: Port, protocol: Protocol) -> Self {
        Self { target: Target::Host(host), port, protocol }
    }

    /// At addresses every protocol is TCP.
    pub(crate) fn of_net(net: Net, port: Port) -> Self {
        Self { target: Target::Net(net), port, protocol: Protocol::Tcp }
    }

    pub(crate) fn from_parts(target: Target, port: Port, protocol: Protocol) -> Self {
        Self { target, port, protocol }
    }

    pub(crate) fn into_parts(self) -> (Target, Port, Protocol) {
        (self.target, self.port, self.protocol)
    }

    /// The host or the addresses.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The port.
    pub fn port(&self) -> Port {
        self.port
    }

    /// The protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }
}
