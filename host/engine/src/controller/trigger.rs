//! Why a key is enqueued.

use std::fmt;

use mizzen_model::ObjectRef;

use crate::memo::OwnWrites;

/// Why a key is enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// An object that the last call read has changed.
    Read(ObjectVersion),
    /// The subject has changed, or an object that the key owns or waits for.
    Object(ObjectVersion),
    /// Another input of the last call has changed: a renderer, credentials, or the kinds that are
    /// served.
    Input,
    /// The reconcile's own writes changed what its plugin reads.
    OwnWrites,
    /// A cooldown is over, and an input of the last call has changed meanwhile.
    CooldownOver,
    /// The time has come that the plugin set by `requeue_after`.
    RequeueAfter,
    /// A retry after a failure is due.
    Retry,
    /// Something else that decides whether and how the key runs has changed: the order, a pace, the
    /// configuration.
    Requeue,
}

/// One version of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectVersion {
    object: ObjectRef,
    /// The resource version; `u64::MAX`: the object is deleted.
    version: u64,
}

// === impl Trigger ===

impl Trigger {
    /// Whether the plugin must be called again, whatever else its last outcome depended on.
    pub(crate) fn invalidates(&self) -> bool {
        match self {
            Self::Read(_) | Self::Input | Self::OwnWrites | Self::CooldownOver | Self::RequeueAfter => true,
            Self::Object(_) | Self::Retry | Self::Requeue => false,
        }
    }

    /// Whether a reconcile that wrote `writes` while this came in has dealt with it. A read is
    /// covered only by exactly the version that was written: an older one may be another client's,
    /// made after the call and before the write.
    pub(crate) fn is_covered_by(&self, writes: &OwnWrites) -> bool {
        let versions = |own: &ObjectVersion| writes.get(&own.object).into_iter().flatten().copied().collect::<Vec<_>>();
        match self {
            Self::Read(own) => versions(own).contains(&own.version),
            Self::Object(own) => versions(own).into_iter().any(|version| version >= own.version),
            _ => false,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(own) => write!(f, "read of {} changed", own.object),
            Self::Object(own) => write!(f, "{} changed", own.object),
            Self::Input => f.write_str("input changed"),
            Self::OwnWrites => f.write_str("own writes"),
            Self::CooldownOver => f.write_str("cooldown over"),
            Self::RequeueAfter => f.write_str("requeue after"),
            Self::Retry => f.write_str("retry"),
            Self::Requeue => f.write_str("requeue"),
        }
    }
}

// === impl ObjectVersion ===

impl ObjectVersion {
    pub(crate) fn new(object: ObjectRef, version: u64) -> Self {
        Self { object, version }
    }

    /// The version of a deleted object: later than any other.
    pub(crate) fn deleted(object: ObjectRef) -> Self {
        Self { object, version: u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::Kind;

    use super::*;

    fn version(version: u64) -> ObjectVersion {
        ObjectVersion::new(ObjectRef::new(Kind::new("v1", "ConfigMap"), Some("a"), "m"), version)
    }

    #[test]
    fn a_change_of_an_owned_object_is_covered_by_a_later_write_and_a_read_only_by_that_very_write() {
        let writes = OwnWrites::from([(version(0).object, vec![5])]);
        assert!(Trigger::Object(version(4)).is_covered_by(&writes));
        assert!(!Trigger::Object(version(6)).is_covered_by(&writes));
        assert!(Trigger::Read(version(5)).is_covered_by(&writes));
        assert!(!Trigger::Read(version(4)).is_covered_by(&writes), "another client may have written it");
        assert!(!Trigger::Input.is_covered_by(&writes) && !Trigger::Requeue.is_covered_by(&writes));
    }
}
