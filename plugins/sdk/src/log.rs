//! Lines in the host's log. The host adds the reconciler and the subject to each.
//!
//! Log lines are for debugging. Report what users should know in the outcome: readiness, conditions
//! and events.

pub(crate) mod level;

use std::fmt;

use crate::backend;

pub use level::Level;

/// Writes one line with named values: `write(Level::Debug, "counted", &[("pods", &count)])`. In a
/// test it is written to stderr.
pub fn write(level: Level, message: &str, fields: &[(&str, &dyn fmt::Display)]) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
    backend::log(level, message, &fields);
}
