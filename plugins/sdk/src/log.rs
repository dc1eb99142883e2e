//! Lines in the host's log, which says beside each whose it is and about which subject.
//!
//! For whoever looks for a fault. What users should know belongs into the outcome: its readiness, conditions and events.

use std::fmt;

use crate::backend;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// For the record.
    Info,
    /// Somebody should look.
    Warn,
    /// Something does not work.
    Error,
}

/// Writes one line, with named values beside it: `write(Level::Debug, "counted", &[("pods", &count)])`. In a test it goes to stderr.
pub fn write(level: Level, message: &str, fields: &[(&str, &dyn fmt::Display)]) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
    backend::log(level, message, &fields);
}
