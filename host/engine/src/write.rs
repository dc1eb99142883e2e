//! Writing: applies, patches and deletes what differs from the outcome, and nothing else.
//!
//! ```text
//!   Prepared ─► objects: apply what drifted ─► prune ─► patches and deletions ─► status ─► Events
//! ```

mod apply;
mod change;
mod confirm;
mod conflict;
mod controller;
mod disrupt;
mod disruptions;
mod drift;
mod events;
mod existing;
mod finalizer;
mod intents;
mod objects;
mod orphan;
mod owned;
mod plan;
mod prune;
pub(crate) mod report;
mod served;
pub(crate) mod status;
mod writer;

pub(crate) use finalizer::Cleanup;
pub(crate) use intents::Plan;
pub(crate) use writer::Writer;
