//! Reconciler and renderer documents: parsed, validated and ordered.
//!
//! The documents come from YAML files or from the cluster (`reconcilers.mizzen.dev`,
//! `renderers.mizzen.dev`), and take the same path: document → schema → [`Reconciler`] or
//! [`Renderer`] → [`Configuration`]. All problems are reported at once, with file, line and field.
//!
//! ```
//! use std::path::Path;
//!
//! use mizzen_config::Configuration;
//! use mizzen_model::yaml;
//!
//! let text = "
//! apiVersion: mizzen.dev/v1alpha1
//! kind: Reconciler
//! metadata: {name: teams}
//! spec:
//!   component: {file: teams.wasm}
//!   subject: {apiVersion: example.com/v1, kind: Team}
//!   aftr: [mtls]
//! ";
//! let documents = yaml::parse(Path::new("teams.yaml"), text)?;
//! let problems = Configuration::strict(&documents).unwrap_err();
//! assert!(problems[0].to_string().starts_with(
//!     "teams.yaml:8: spec.aftr: `aftr` is not known; did you mean `after`?"
//! ));
//!
//! let documents = yaml::parse(Path::new("teams.yaml"), &text.replace("  aftr: [mtls]\n", ""))?;
//! assert_eq!(Configuration::strict(&documents).unwrap().reconcilers[0].name, "teams");
//! # Ok::<_, mizzen_model::yaml::YamlError>(())
//! ```

mod configuration;
pub mod document;
pub mod http;
mod names;
mod order;
mod pace;
mod problem;
pub mod quantity;
mod reconciler;
mod renderer;
mod shape;
mod site;
pub mod template;
mod validate;
mod warnings;

pub use configuration::{Configuration, RECONCILER, RENDERER};
pub use pace::{Pace, Window};
pub use problem::Problem;
pub use reconciler::{Component, Grant, Grants, Limits, Mode, Origin, PRIVILEGED, Reconciler, Subject};
pub use renderer::{RenderLimits, Renderer};
