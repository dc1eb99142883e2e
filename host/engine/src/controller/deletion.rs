//! Deletion approval: before a deletion begins, each finalizing plugin may refuse it.
//!
//! Deletion walks the order backwards, and the first reconciler in the order is the last to
//! finalize: if it refused only then, everything that depends on it would be gone. So each
//! finalizing plugin is called at once, and its outcome is reported but not written (a preflight:
//! plugins are pure, so the call changes nothing). While one fails, or has no outcome, no finalizer
//! is removed.

use std::collections::{HashMap, HashSet};

use crate::plugin::{Key, NodeId, SubjectId};

/// The approvals of deletions, and the deletions that have begun.
#[derive(Default)]
pub(super) struct Deletion {
    approvals: HashMap<Key, Approval>,
    /// Subjects whose deletion has begun.
    begun: HashSet<SubjectId>,
}

/// What a plugin says to the deletion of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Approved,
    Refused,
}

/// What a deletion means for a key now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeletionStep {
    /// The plugin is called to clean up, and the finalizer is removed.
    Finalize,
    /// The plugin is called to learn whether it refuses.
    Preflight,
    /// Other reconcilers come first.
    Wait,
}

/// A reconciler that has its finalizer on the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finalizing {
    pub(super) node: NodeId,
    pub(super) consent: Consent,
}

/// Whether a reconciler must approve a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// Its plugin does not finalize or does not act, or the subject is none of its own.
    NotNeeded,
    /// Its recorded approval counts.
    Recorded,
    /// Its plugin must be called, whatever is recorded: it may refuse.
    Outdated,
}

// === impl Deletion ===

impl Deletion {
    /// The step for a key that has its finalizer on the subject. `finalizing` are all reconcilers
    /// that have theirs, and `successors` those that finalize before this one.
    pub(super) fn step(&mut self, key: Key, finalizing: &[Finalizing], successors: &[NodeId]) -> DeletionStep {
        if self.begun.contains(&key.subject) || self.is_approved(key.subject, finalizing) {
            // From then on there is no way back: a reconciler may have cleaned up.
            self.begun.insert(key.subject);
            let is_first = !finalizing.iter().any(|own| successors.contains(&own.node));
            return if is_first { DeletionStep::Finalize } else { DeletionStep::Wait };
        }
        // Also if its approval is recorded: the plugin is called only if something it depends on
        // has changed.
        let must_approve = |own: &Finalizing| own.node == key.node && own.consent != Consent::NotNeeded;
        if finalizing.iter().any(must_approve) { DeletionStep::Preflight } else { DeletionStep::Wait }
    }

    fn is_approved(&self, subject: SubjectId, finalizing: &[Finalizing]) -> bool {
        let approves = |own: &Finalizing| match own.consent {
            Consent::NotNeeded => true,
            Consent::Recorded => self.approvals.get(&Key { node: own.node, subject }) == Some(&Approval::Approved),
            Consent::Outdated => false,
        };
        // The only finalizing plugin can refuse when it finalizes.
        finalizing.len() < 2 || finalizing.iter().all(approves)
    }

    /// Records what a plugin says to a deletion. Returns whether that has changed, which concerns
    /// all keys of the subject.
    pub(super) fn record(&mut self, key: Key, approval: Approval) -> bool {
        self.approvals.insert(key, approval) != Some(approval)
    }

    /// Forgets a key: it has no such subject.
    pub(super) fn forget(&mut self, key: Key) {
        self.approvals.remove(&key);
        self.begun.remove(&key.subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: SubjectId = SubjectId(0);

    fn key(node: u32) -> Key {
        Key { node: NodeId(node), subject: SUBJECT }
    }

    fn finalizing(consents: &[Consent]) -> Vec<Finalizing> {
        let all = (0..).zip(consents);
        all.map(|(node, consent)| Finalizing { node: NodeId(node), consent: *consent }).collect()
    }

    #[test]
    fn no_reconciler_finalizes_before_each_that_may_refuse_has_approved() {
        let mut deletion = Deletion::default();
        let both = finalizing(&[Consent::Recorded, Consent::Recorded]);
        assert_eq!(deletion.step(key(1), &both, &[]), DeletionStep::Preflight);
        deletion.record(key(1), Approval::Approved);
        assert_eq!(deletion.step(key(1), &both, &[]), DeletionStep::Preflight);
        deletion.record(key(0), Approval::Refused);
        assert_eq!(deletion.step(key(1), &both, &[]), DeletionStep::Preflight);
        deletion.record(key(0), Approval::Approved);
        assert_eq!(deletion.step(key(1), &both, &[]), DeletionStep::Finalize);
    }

    #[test]
    fn successors_finalize_before_their_predecessors() {
        let mut deletion = Deletion::default();
        let both = finalizing(&[Consent::NotNeeded, Consent::NotNeeded]);
        assert_eq!(deletion.step(key(0), &both, &[NodeId(1)]), DeletionStep::Wait);
        assert_eq!(deletion.step(key(1), &both, &[]), DeletionStep::Finalize);
        assert_eq!(deletion.step(key(0), &both[..1], &[NodeId(1)]), DeletionStep::Finalize);
    }

    #[test]
    fn a_deletion_that_has_begun_can_not_be_refused() {
        let mut deletion = Deletion::default();
        let [recorded, outdated] = [Consent::Recorded, Consent::Outdated].map(|consent| finalizing(&[consent; 2]));
        deletion.record(key(0), Approval::Approved);
        deletion.record(key(1), Approval::Approved);
        assert_eq!(deletion.step(key(1), &outdated, &[]), DeletionStep::Preflight, "approvals are outdated");
        assert_eq!(deletion.step(key(1), &recorded, &[]), DeletionStep::Finalize);
        deletion.record(key(0), Approval::Refused);
        assert_eq!(deletion.step(key(0), &recorded, &[]), DeletionStep::Finalize);
        deletion.forget(key(0));
        assert_eq!(deletion.step(key(0), &recorded, &[]), DeletionStep::Preflight, "of a new subject with this name");
    }

    #[test]
    fn a_reconciler_that_need_not_approve_waits_for_those_that_must() {
        let mut deletion = Deletion::default();
        let both = finalizing(&[Consent::NotNeeded, Consent::Outdated]);
        assert_eq!(deletion.step(key(0), &both, &[]), DeletionStep::Wait);
    }

    #[test]
    fn the_only_finalizing_reconciler_finalizes_without_a_preflight() {
        let mut deletion = Deletion::default();
        assert_eq!(deletion.step(key(0), &finalizing(&[Consent::Outdated]), &[]), DeletionStep::Finalize);
    }

    #[test]
    fn only_a_changed_approval_concerns_others() {
        let mut deletion = Deletion::default();
        let said = [Approval::Refused, Approval::Refused, Approval::Approved].map(|own| deletion.record(key(0), own));
        assert_eq!(said, [true, false, true]);
    }
}
