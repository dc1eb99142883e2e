//! Ports of loopback that no other control plane on this machine takes, also while nobody listens on them.
//!
//! A port that the kernel picks is not good enough: it lies where the kernel also takes the ports of outgoing connections, so that during an outage of the API
//! server a client that tries to reconnect can end up holding, or even reaching, the very port it dials.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Below the ports of outgoing connections, which begin at 32768 on Linux and higher elsewhere.
const RANGE: Range<u16> = 20_000..32_000;

/// A port that is this process's own until the value is dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Locked. The lock ends with the process, however that ends.
    _claim: File,
}

/// Why there is no port.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Claims can't be written down.
    #[error("can't claim a port in {folder}")]
    Claim {
        /// The folder of claims.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// All are taken.
    #[error("every port from {} to {} of 127.0.0.1 is taken: end other control planes", RANGE.start, RANGE.end)]
    AllTaken,
}

impl Port {
    /// Takes a port, written down in `folder`.
    pub(crate) fn take(folder: &Path) -> Result<Self, PortError> {
        let failed = |source| PortError::Claim { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        for number in RANGE {
            let claim = File::create(folder.join(number.to_string())).map_err(failed)?;
            if claim.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        Err(PortError::AllTaken)
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_given_twice_though_nobody_listens_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Port::take(folder.path()).unwrap();
        let second = Port::take(folder.path()).unwrap();
        assert_ne!(first.number(), second.number());
        let number = first.number();
        drop(first);
        assert_eq!(Port::take(folder.path()).unwrap().number(), number);
    }
}
