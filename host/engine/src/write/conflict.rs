//! How an apply treats conflicts with other field managers.

/// Which fields of other field managers an apply takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConflictPolicy {
    /// All: the configuration grants `force`.
    Force,
    /// Those that were edited, which is drift, but not those that another manager applies: the object is owned.
    RepairDrift,
    /// Those of the reconciler's own other managers, and those of its own condition. A list of conditions that is not
    /// keyed by type has one owner at a time, and the document has the conditions of all.
    Status { conditions_by_type: bool },
    /// None.
    Yield,
    /// Only the annotation of the pace, which names the last patch of the object for any subject.
    PaceAnnotation,
}
