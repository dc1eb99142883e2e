//! Reconciler documents: parsed, checked, ordered.
//!
//! The same documents come from a YAML file or folder and from the cluster (`reconcilers.mizzen.dev`), and take the same path:
//! document → schema → [`Reconciler`] → [`Configuration`]. What is wrong is reported all at once, with file, line and field.

mod reconciler;

pub use reconciler::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
