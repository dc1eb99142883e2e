//! Paces: how many disruptions may be in progress at once, how many may start per minute, and when.
//!
//! ```text
//!   patch ─► admitted? ─ yes ─► written ─► in progress ─► rolled out (the object's status says so),
//!                │                                        timed out (progress deadline), or failed
//!                └─ no: the key waits ◄── requeued when a place or a minute's token is free, or a window opens
//! ```
//! A pace belongs to one reconciler and counts over all of its subjects. The disruptions in
//! progress are known from the live objects: an annotation on each patched object names the pace
//! and the start time, so that a restarted host continues counting.

mod disruption;
mod events;
mod judge;
mod paces;
mod status;
mod tracker;

pub(crate) use disruption::{Admission, Slot, Stage};
pub(crate) use events::PaceEvents;
pub(crate) use paces::Paces;
pub use status::PaceSnapshot;
pub(crate) use status::PaceStatus;
