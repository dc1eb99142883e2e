//! The fence before writes: a host that shares its work with others by a Lease writes only while it
//! holds the Lease.
//!
//! It has to stop *before* another host may claim the Lease, and it can't know whether its requests
//! still arrive. So it stops by its own clock, and a write that was sent in time ends in time: its
//! timeout is what is left of the Lease.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Decides whether a write may be sent. Clones share one state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fence(Arc<Mutex<State>>);

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// There is no Lease: this host is alone.
    #[default]
    Absent,
    /// Another host may hold the Lease.
    Closed,
    /// This host holds the Lease.
    Open(Term),
}

/// For how long a Lease is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Until when writes are sent.
    pub(crate) send_until: Instant,
    /// Until when writes may take effect: no other host claims the Lease before.
    pub(crate) end: Instant,
}

/// A write that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sent: this host does not hold the Lease")]
pub(crate) struct NotHolder;

// === impl Fence ===

impl Fence {
    /// Lets writes pass during a term.
    pub(crate) fn open(&self, term: Term) {
        *self.0.lock() = State::Open(term);
    }

    /// Lets no write pass.
    pub(crate) fn close(&self) {
        *self.0.lock() = State::Closed;
    }

    /// Whether a write may be sent now, and how long it may take; `None`: as long as any request.
    pub(crate) fn admit(&self, now: Instant) -> Result<Option<Duration>, NotHolder> {
        match *self.0.lock() {
            State::Absent => Ok(None),
            State::Open(Term { send_until, end }) if now < send_until => Ok(Some(end - now)),
            State::Open(_) | State::Closed => Err(NotHolder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_lease_every_write_is_sent() {
        assert_eq!(Fence::default().admit(Instant::now()), Ok(None));
    }

    #[test]
    fn a_write_is_sent_during_the_term_and_ends_before_another_host_may_write() {
        let (fence, now) = (Fence::default(), Instant::now());
        fence.close();
        assert_eq!(fence.admit(now), Err(NotHolder));
        fence.open(Term { send_until: now + Duration::from_secs(10), end: now + Duration::from_secs(15) });
        assert_eq!(fence.admit(now + Duration::from_secs(9)), Ok(Some(Duration::from_secs(6))));
        assert_eq!(fence.admit(now + Duration::from_secs(10)), Err(NotHolder));
    }
}
