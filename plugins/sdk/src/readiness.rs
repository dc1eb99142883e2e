//! The readiness of a subject, for a reconciler.

/// How far the desired state has been reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is reached.
    Ready,
    /// Not reached yet; with what is awaited.
    Progressing(String),
    /// Reached, but something needs attention.
    Warning(String),
    /// It can't be reached; with the reason.
    Failed(String),
}
