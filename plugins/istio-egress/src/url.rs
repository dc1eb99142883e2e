//! Endpoints as URLs.

use http::Uri;
use http::uri::Scheme;

use crate::{Endpoint, EndpointError, Host, Net, Port, PortError, Protocol, Target, TargetError};

/// A URL as far as it says where something is: `http` or `https`, a host or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    target: Target,
    port: Port,
}

/// Why a text is no such URL. The texts say nothing of a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is none at all.
    #[error("it is no URL: write one such as `https://host.example.com:443`")]
    Malformed,
    /// It is one of another scheme.
    #[error("its scheme is neither `http` nor `https`")]
    Scheme,
    /// Its port is none.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Its port is no number.
    #[error("`{0}` is no port: write one from 1 to 65535")]
    NotANumber(String),
    /// Its host is none.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl Url {
    /// Takes in an absolute URL. Path, query and credentials are passed over. Ports that are not said are 80 and 443.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.trim().parse().map_err(|_| UrlError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(UrlError::Malformed);
        };
        let secure = match scheme {
            scheme if *scheme == Scheme::HTTPS => true,
            scheme if *scheme == Scheme::HTTP => false,
            _ => return Err(UrlError::Scheme),
        };
        let host = authority.host();
        // `Authority::port` passes over what is no port, and would so take another one for it.
        let after = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, after)| after);
        let port = match after.strip_prefix(host).unwrap_or_default().strip_prefix(':') {
            None | Some("") => Port::new(if secure { 443 } else { 80 })?,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Port::new(digits.parse().unwrap_or(i64::MAX))?
            }
            Some(other) => return Err(UrlError::NotANumber(other.to_owned())),
        };
        let target = match host.trim_matches(['[', ']']).parse() {
            Ok(address) => Target::Net(Net::single(address)?),
            Err(_) => Target::Host(Host::parse(host)?),
        };
        Ok(Self { secure, target, port })
    }

    /// The endpoint of whoever speaks to it as the scheme says.
    pub fn endpoint(&self) -> Result<Endpoint, EndpointError> {
        let spoken = if self.secure { Protocol::Https } else { Protocol::Http };
        let protocol = if matches!(self.target, Target::Net(_)) { Protocol::Tcp } else { spoken };
        Endpoint::new(self.target.clone(), self.port, Some(protocol))
    }

    /// The endpoint of whoever uses it as a proxy: what goes through it is not told apart by hosts.
    pub fn proxy(&self) -> Result<Endpoint, EndpointError> {
        Endpoint::new(self.target.clone(), self.port, Some(Protocol::Tcp))
    }
}
