//! The severity of a log line.

/// The severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Details for debugging.
    Debug,
    /// Normal operation.
    Info,
    /// Something that needs attention.
    Warn,
    /// Something that does not work.
    Error,
}
