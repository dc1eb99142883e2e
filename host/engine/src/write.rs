//! Writing: applies, patches and deletes what differs from the outcome, and nothing else.
//!
//! ```text
//!   Prepared ─► objects: apply what drifted ─► prune ─► patches and deletions ─► status ─► Events
//! ```

mod conflict;
mod controller;
mod disrupt;
mod disruptions;
mod drift;
mod events;
mod finalizer;
mod objects;
mod orphan;
mod plan;
mod prune;
mod served;
pub(crate) mod status;
mod writer;

pub(crate) use finalizer::Cleanup;
pub(crate) use plan::Plan;
pub(crate) use writer::Writer;
