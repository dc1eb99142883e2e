//! The custom resources of the TM Forum ODA Canvas that several reconcilers read: one parser, so
//! that the reconciler that routes an API and the one that has it scraped agree.
//!
//! All served versions are one [`Spec`]: ExposedAPI `v1`, `v1beta4` and `v1beta3`, and their
//! predecessor, the kind `API`.

mod backend;
mod basic_auth;
mod optional;
mod path;
mod policies;
mod spec;
#[cfg(test)]
mod tests;
mod texts;

use mizzen_sdk::Kind;

pub use backend::{Backend, TargetPort};
pub use basic_auth::{BasicAuth, SecretKey};
pub use path::{Path, PathError};
pub use policies::{Cors, Interval, OasValidation, Preflight, Quota, RateLimit, Verification};
pub use spec::{ApiType, Segment, Spec, Specification};
pub use texts::{Host, ServiceName, TextError, host};

/// An API that a component exposes.
pub fn exposed_api() -> Kind {
    Kind::new("oda.tmforum.org/v1", "ExposedAPI")
}

/// A component of the Canvas: what exposes APIs.
pub fn component() -> Kind {
    Kind::new("oda.tmforum.org/v1", "Component")
}
