//! Ports of loopback that no other control plane on this machine takes, also while no program listens on them.
//!
//! A port that the kernel chooses does not suffice: it is in the range of ports for outgoing connections. During
//! an outage of the API server, a client that reconnects could get, or even connect to, the port that it dials.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Below the ports of outgoing connections, which begin at 32768 on Linux and higher elsewhere.
const RANGE: Range<u16> = 20_000..32_000;

/// A port that is reserved for this process until the value is dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Locked. The kernel releases the lock with the process.
    _lock: File,
}

/// Why no port was reserved.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// A lock can't be created.
    #[error("can't lock a port in {folder}")]
    Lock {
        /// The folder of locks.
        folder: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// All are reserved.
    #[error("every port from {} to {} of 127.0.0.1 is taken: end other control planes", RANGE.start, RANGE.end)]
    AllTaken,
}

impl Port {
    /// Reserves a port by a lock in `folder`.
    pub(crate) fn reserve(folder: &Path) -> Result<Self, PortError> {
        let failed = |source| PortError::Lock { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        for number in RANGE {
            let lock = File::create(folder.join(number.to_string())).map_err(failed)?;
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: lock });
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
    fn a_port_is_reserved_once_even_if_no_program_listens_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Port::reserve(folder.path()).unwrap();
        let second = Port::reserve(folder.path()).unwrap();
        assert_ne!(first.number(), second.number());
        let number = first.number();
        drop(first);
        assert_eq!(Port::reserve(folder.path()).unwrap().number(), number);
    }
}
