//! Endpoints as URLs.

use http::Uri;
use http::uri::Scheme;

use crate::{Endpoint, Host, Net, Port, PortError, Protocol, TargetError};

/// A URL as far as it says where something is: `http` or `https`, a host or an address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    place: Place,
    port: Port,
}

/// A URL has no wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(Host),
    Address(Net),
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
        let place = match host.trim_matches(['[', ']']).parse() {
            Ok(address) => Place::Address(Net::single(address)?),
            Err(_) => Place::Host(Host::parse(host)?),
        };
        Ok(Self { secure, place, port })
    }

    /// The endpoint of whoever speaks to it as the scheme says.
    pub fn endpoint(&self) -> Endpoint {
        self.speaking(if self.secure { Protocol::Https } else { Protocol::Http })
    }

    /// The endpoint of whoever uses it as a proxy: what goes through it is not told apart by hosts.
    pub fn proxy(&self) -> Endpoint {
        self.speaking(Protocol::Tcp)
    }

    fn speaking(&self, protocol: Protocol) -> Endpoint {
        match &self.place {
            Place::Host(host) => Endpoint::of_host(host.clone(), self.port, protocol),
            Place::Address(net) => Endpoint::of_net(*net, self.port),
        }
    }
}
