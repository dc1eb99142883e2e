//! Istio's own commands, to compare the plugins' objects with: [`Istioctl`] renders an `IstioOperator`, and
//! validates and analyzes YAML, as `istioctl` does.
//!
//! It is built once, from the Go module in `tests/istio/go.mod`, which pins the same Istio as `plugins/istio-client`.
//!
//! ```no_run
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mizzen_istio_tests::Istioctl;
//!
//! let Some(istioctl) = Istioctl::for_test("1.31.1") else { return Ok(()) };
//! istioctl.validate("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {}\n")?;
//! # Ok(())
//! # }
//! ```

mod document;
pub mod egress;
mod istioctl;

pub use document::{documents, identity, lines_without, objects};
pub use istioctl::{Finding, Istioctl, IstioctlError, Level};
