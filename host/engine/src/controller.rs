//! The controller: changes enqueue the keys that they concern, the workqueue yields keys within the
//! limits, and a finished reconcile requeues its successors.
//!
//! ```text
//!                 changes ─► workqueue ─► order, deletion ─► job (a reconcile in a task of its own)
//!   events ───►      │           ▲       may the key run?     │
//!   commands ─► configure ───────┴──────── finish ◄───────────┘ with its memory
//! ```
//! One task owns the [state](state::Controller), so none of it is locked. What it shares with
//! running reconciles is in the [context](crate::context::Context), each table behind a lock: read
//! index, paces, ownership claims and renderers.
//!
//! [`Workqueue`](workqueue::Workqueue), [`Order`](order::Order), [`Deletion`](deletion::Deletion)
//! and [`Orphans`](orphans::Orphans) are state machines that know nothing of each other: they take
//! events and times, and return what is to be done.

mod changes;
mod configure;
mod deletion;
mod dispatch;
mod finish;
mod inspect;
mod messages;
mod nodes;
mod order;
mod orphans;
mod removal;
mod run;
mod selection;
mod snapshot;
mod state;
mod step;
mod sync;
mod timers;
mod trigger;
mod workqueue;

pub(crate) use messages::{Command, Inputs};
pub use nodes::{NodeSpec, State};
pub use snapshot::{NodeSnapshot, PlanCounts, Snapshot};
pub(crate) use state::Controller;
