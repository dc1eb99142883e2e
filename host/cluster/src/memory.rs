//! A cluster in memory: a folder of YAML that is read, watched and written like a real cluster.
//!
//! ```text
//!   put, apply ──► admission (identity, schema, defaults) ──► state (objects and their owners) ──► views ──► Change
//!                                                               ▲
//!                                         apply: merge, prune, conflicts   gc: finalizers, owners, namespaces
//! ```
//! `plan` and `dev` work on it, and the engine is tested with it. It is faithful where reconcilers
//! would notice a difference: kinds, versions and schemas by the CRDs in the folder, field
//! ownership, status subresources, generations, finalizers, garbage collection. There is no network
//! in between, so every change is visible at once.
//!
//! Different from a real cluster, on purpose: every namespace exists, owner references may name
//! objects that do not exist, and the garbage collector is the only controller. Not implemented:
//! the schemas and defaults of built-in kinds, validation rules in CEL, webhooks, authorization.

mod admission;
mod apply;
mod content;
mod crd;
mod documents;
mod gc;
mod handle;
mod import;
mod kinds;
mod merge;
mod metadata;
mod nulls;
mod ownership;
mod problem;
mod reads;
mod record;
mod schema;
mod served;
mod shape;
mod state;
mod views;

pub use documents::{DocumentError, DocumentWarning, Loaded};
pub use handle::Memory;
pub use record::WriteRecord;

#[cfg(test)]
mod tests;
