//! Reconciler and renderer documents: parsed, checked, ordered.
//!
//! The same documents come from a YAML file or folder and from the cluster (`reconcilers.mizzen.dev`, `renderers.mizzen.dev`),
//! and take the same path: document → schema → [`Reconciler`] or [`Renderer`] → [`Configuration`]. What is wrong is reported all at once, with file, line and field.

mod configuration;
pub mod document;
pub mod http;
mod order;
mod pace;
mod problem;
pub mod quantity;
mod reconciler;
mod renderer;
mod shape;
pub mod template;
mod validate;

pub use configuration::{Configuration, RECONCILER, RENDERER};
pub use pace::{Pace, Window};
pub use problem::Problem;
pub use reconciler::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
pub use renderer::{RenderLimits, Renderer};
