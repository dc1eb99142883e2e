//! Resolves names to addresses that requests may go to. The client connects to these addresses, and does not resolve
//! again.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_allowed;

/// Finds the addresses of a name.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    /// Returns all addresses of a name.
    ///
    /// # Errors
    /// When it has none, or the name service is unavailable.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Finds addresses by the system's name service.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

/// All addresses of a name are refused, for this reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

/// Resolves names for one route.
pub(crate) struct Resolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) private: Vec<IpNet>,
}

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, private) = (Arc::clone(&self.lookup), self.private.clone());
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            let allowed: Vec<_> = found.iter().copied().filter(|address| is_allowed(*address, &private)).collect();
            match found.first() {
                Some(address) if allowed.is_empty() => Err(refused(name.as_str(), *address).into()),
                _ => {
                    let addresses: Addrs = Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0)));
                    Ok(addresses)
                }
            }
        })
    }
}

/// Returns why no request goes to an address, and the way out.
pub(crate) fn refused(name: &str, address: IpAddr) -> Refused {
    Refused(format!(
        "`{name}` is at {address}, which is not public: a grant of the host has to name its network in `private`"
    ))
}
