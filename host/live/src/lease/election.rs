//! Who may hold a Lease, by the rules of client-go's leader election. A state machine: it gets what
//! was read and the time, and knows neither requests nor a clock.
//!
//! Clocks of hosts are not compared. A candidate measures with its own clock how long a record has
//! not changed, and claims the Lease after the duration that the record promises.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::record::Record;
use crate::fence::Term;

/// The times of an election.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// How long a record that is not renewed keeps other hosts from claiming the Lease. Whole
    /// seconds.
    pub(super) duration: Duration,
    /// How long after its last renewal the holder still sends writes. The rest of `duration` is for
    /// writes that are on their way.
    pub(super) renew_deadline: Duration,
    /// The interval of renewals and of failed attempts.
    pub(super) retry_period: Duration,
}

/// client-go's defaults.
pub(super) const TIMING: Timing = Timing {
    duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry_period: Duration::from_secs(2),
};

/// One host's view of a Lease.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    timing: Timing,
    /// The record, and since when it has not changed; `None`: there is no Lease object.
    seen: Option<(Record, Instant)>,
    /// When the last attempt to claim or renew was sent.
    attempted: Option<Instant>,
    /// The term of the last successful attempt.
    term: Option<Term>,
}

// === impl Election ===

impl Election {
    pub(super) fn new(identity: String, timing: Timing) -> Self {
        Self { identity, timing, seen: None, attempted: None, term: None }
    }

    /// Notes what was read; `None`: there is no Lease object.
    pub(super) fn observe(&mut self, record: Option<Record>, now: Instant) {
        self.seen = record.map(|record| match &self.seen {
            Some((before, since)) if *before == record => (record, *since),
            _ => (record, now),
        });
    }

    /// Notes that an attempt to claim or renew the Lease is being sent.
    pub(super) fn attempt(&mut self, now: Instant) {
        self.attempted = Some(now);
    }

    /// Notes a successful attempt. Its term counts from when the attempt was sent, which is before
    /// any other host could see it.
    pub(super) fn hold(&mut self, sent: Instant) -> Term {
        *self.term.insert(Term { send_until: sent + self.timing.renew_deadline, end: sent + self.timing.duration })
    }

    /// When a holder stops writing, unless it renews the Lease before; `None`: it never held it.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.term.map(|term| term.send_until)
    }

    /// When the next attempt is due, as far as is known.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let free = match &self.seen {
            Some((record, since)) if !record.holder.is_empty() && record.holder != self.identity => {
                *since + record.duration
            }
            _ => now,
        };
        self.attempted.map_or(free, |attempted| free.max(attempted + self.timing.retry_period))
    }

    /// The record with which this host holds the Lease from now on.
    pub(super) fn claim(&self, now: Timestamp) -> Record {
        let before = self.seen.as_ref().map(|(record, _)| record);
        let is_renewal = self.holds();
        Record {
            holder: self.identity.clone(),
            duration: self.timing.duration,
            acquired: before.filter(|_| is_renewal).map_or(Some(now), |record| record.acquired),
            renewed: Some(now),
            transitions: before.map_or(0, |record| record.transitions + i32::from(!is_renewal)),
        }
    }

    /// The record that frees the Lease at once; `None`: this host does not hold it.
    pub(super) fn release(&self, now: Timestamp) -> Option<Record> {
        let (record, _) = self.seen.as_ref().filter(|_| self.holds())?;
        let duration = Duration::from_secs(1);
        Some(Record { holder: String::new(), duration, renewed: Some(now), ..record.clone() })
    }

    /// Whether this host holds the Lease, by the last record.
    pub(super) fn holds(&self) -> bool {
        self.holder() == Some(&*self.identity)
    }

    /// The host that holds the Lease, by the last record.
    pub(super) fn holder(&self) -> Option<&str> {
        self.seen.as_ref().map(|(record, _)| &*record.holder).filter(|holder| !holder.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn held_by(holder: &str, renewed: i64) -> Record {
        Record {
            holder: holder.into(),
            duration: Duration::from_secs(15),
            acquired: Some(at(0)),
            renewed: Some(at(renewed)),
            transitions: 3,
        }
    }

    fn election() -> Election {
        Election::new("us".into(), TIMING)
    }

    #[test]
    fn a_lease_that_is_absent_or_free_is_claimed_at_once() {
        let (mut election, now) = (election(), Instant::now());
        assert_eq!(election.due(now), now);
        assert_eq!(election.claim(at(9)).transitions, 0);
        election.observe(Some(held_by("", 1)), now);
        assert_eq!(election.due(now), now);
        let claim = election.claim(at(9));
        assert_eq!((&*claim.holder, claim.acquired, claim.transitions), ("us", Some(at(9)), 4));
    }

    #[test]
    fn a_held_lease_is_claimed_after_its_record_has_not_changed_for_its_duration() {
        let (mut election, now) = (election(), Instant::now());
        election.observe(Some(held_by("other", 1)), now);
        // The same record again does not extend the term, and a renewed one does.
        let later = now + Duration::from_secs(5);
        election.observe(Some(held_by("other", 1)), later);
        assert_eq!(election.due(later), now + TIMING.duration);
        election.observe(Some(held_by("other", 6)), later);
        assert_eq!(election.due(later), later + TIMING.duration);
    }

    #[test]
    fn the_holders_clock_does_not_matter() {
        let (mut election, now) = (election(), Instant::now());
        election.observe(Some(held_by("other", -1_000_000)), now);
        assert_eq!(election.due(now), now + TIMING.duration);
    }

    #[test]
    fn a_holder_renews_at_each_period_and_stays_the_one_that_acquired() {
        let (mut election, now) = (election(), Instant::now());
        election.attempt(now);
        election.observe(Some(held_by("us", 1)), now);
        assert_eq!(election.due(now), now + TIMING.retry_period);
        let renewal = election.claim(at(7));
        assert_eq!((renewal.acquired, renewal.renewed, renewal.transitions), (Some(at(0)), Some(at(7)), 3));
    }

    #[test]
    fn writes_end_before_another_host_may_claim_the_lease() {
        let (mut election, sent) = (election(), Instant::now());
        let mut other = Election::new("other".into(), TIMING);
        // The other host sees the record at the earliest when it was sent.
        other.observe(Some(election.claim(at(0))), sent);
        let term = election.hold(sent);
        assert!(term.send_until < term.end && term.end <= other.due(sent));
    }

    #[test]
    fn only_the_holder_releases_a_lease_and_another_host_claims_it_at_once() {
        let (mut election, now) = (election(), Instant::now());
        election.observe(Some(held_by("other", 1)), now);
        assert_eq!(election.release(at(2)), None);
        election.observe(Some(held_by("us", 1)), now);
        let mut other = Election::new("other".into(), TIMING);
        other.observe(election.release(at(2)), now);
        assert_eq!(other.due(now), now);
    }
}
