//! The least rights with which the host can run a configuration: for its own work, and for each
//! reconciler.
//!
//! The host watches each kind once, in the whole cluster, for all of its readers. So reading is a
//! right in the whole cluster, even where a grant names namespaces; writing is a right in those
//! namespaces alone.

mod network;
mod plugin;
mod rules;
mod set;
#[cfg(test)]
mod tests;

pub(crate) use rules::Rules;
pub(crate) use set::Rights;
