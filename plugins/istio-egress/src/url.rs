//! Endpoints as URLs.

use http::Uri;
use http::uri::Scheme;

use crate::{Endpoint, Host, Net, Port, Protocol, TargetError, TargetFault};

/// The place that a URL names: its scheme (`http` or `https`), its host or address, and its port.
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

/// Why a text is not a [`Url`]. Neither `Display` nor `Debug` quotes any of the text, because what
/// looks like a host or a port can be part of a password that is not percent-encoded. A host inside
/// the cluster is the one exception: it was read whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not follow the grammar of URLs, or is relative.
    #[error("it is not a valid URL: write one such as `https://host.example.com:443`")]
    Malformed,
    /// It has an `@` after its authority, so that user and host can't be distinguished.
    #[error("its user or password has a `/`, `?` or `#` that is not percent-encoded: write `%2F`, `%3F` or `%23`")]
    UserInfo,
    /// It has another scheme.
    #[error("its scheme is neither `http` nor `https`")]
    Scheme,
    /// Its port is not valid.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// Its host is inside the cluster.
    #[error("`{0}` is inside the cluster: the mesh knows it already")]
    Inside(String),
    /// Its host is not valid.
    #[error("its host {0}")]
    Host(TargetFault),
}

impl Url {
    /// Reads an absolute URL. Path, query and credentials are ignored. The default ports are 80 and 443.
    ///
    /// # Errors
    /// When the text is not such a URL, or its host is not outside the cluster.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if hides_user(text) {
            return Err(UrlError::UserInfo);
        }
        let uri: Uri = text.parse().map_err(|_| UrlError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(UrlError::Malformed);
        };
        let secure = match scheme {
            scheme if *scheme == Scheme::HTTPS => true,
            scheme if *scheme == Scheme::HTTP => false,
            _ => return Err(UrlError::Scheme),
        };
        let (host, port) = split(authority.as_str());
        let port = match port {
            None | Some("") => Port::new(if secure { 443 } else { 80 }),
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Port::new(digits.parse().unwrap_or(i64::MAX))
            }
            Some(_) => return Err(UrlError::Port),
        };
        let port = port.map_err(|_| UrlError::Port)?;
        let place = match host.trim_matches(['[', ']']).parse() {
            Ok(address) => Place::Address(Net::single(address)?),
            Err(_) => Place::Host(Host::parse(host)?),
        };
        Ok(Self { secure, place, port })
    }

    /// The endpoint for clients that use the protocol of the scheme.
    pub fn endpoint(&self) -> Endpoint {
        self.speaking(if self.secure { Protocol::Https } else { Protocol::Http })
    }

    /// The endpoint for clients that use it as a proxy: what they send through it can't be routed by host.
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

impl From<TargetError> for UrlError {
    fn from(error: TargetError) -> Self {
        match error.fault() {
            TargetFault::Inside => Self::Inside(error.text().to_owned()),
            fault => Self::Host(fault.clone()),
        }
    }
}

/// Whether there is an `@` after the authority, which ends at the first `/`, `?` or `#`. That is
/// legal in a path or query, but is more often the end of a password with such a character, and the
/// authority is then a part of user and password.
fn hides_user(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.find(['/', '?', '#']).is_some_and(|end| rest[end..].contains('@'))
}

/// Host and port of an authority. [`http::uri::Authority`] reports no port if it is not a number.
fn split(authority: &str) -> (&str, Option<&str>) {
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let after = place.rfind(']').map_or(0, |bracket| bracket + 1);
    match place[after..].find(':') {
        Some(colon) => (&place[..after + colon], Some(&place[after + colon + 1..])),
        None => (place, None),
    }
}
