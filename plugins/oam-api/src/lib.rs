//! Verrazzano's applications and their traits: what the plugins `application` (objects of an
//! application) and `application-ingress` (objects of a trait) must agree on. A trait's route names
//! its application's Gateway, and that Gateway its trait's certificate, though neither plugin sees
//! the other's outcome.

mod hosts;
mod mesh;
pub mod names;

use mizzen_sdk::Kind;

pub use hosts::{HostError, hosts};
pub use mesh::{Membership, declare, membership};

/// The label of traits, workloads and pods that names their application.
pub const APP: &str = "app.oam.dev/name";
/// The label of traits, workloads and pods that names their component.
pub const COMPONENT: &str = "app.oam.dev/component";

/// Publishes one component of an application.
pub fn ingress_trait() -> Kind {
    Kind::new("oam.verrazzano.io/v1alpha1", "IngressTrait")
}

/// An application: its components and their traits.
pub fn application() -> Kind {
    Kind::new("core.oam.dev/v1alpha2", "ApplicationConfiguration")
}

/// Istio's Gateway, one per application.
pub fn gateway() -> Kind {
    Kind::new("networking.istio.io/v1", "Gateway")
}

/// Istio's `AuthorizationPolicy`.
pub fn authorization_policy() -> Kind {
    Kind::new("security.istio.io/v1", "AuthorizationPolicy")
}
