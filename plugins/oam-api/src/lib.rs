//! Applications and their traits, as Verrazzano knows them: what the plugins `application` (what there is once per application) and
//! `application-ingress` (what there is once per trait) must say alike. A trait's route names its application's Gateway, and that
//! Gateway its trait's certificate, though neither plugin sees what the other wants.

mod hosts;
mod mesh;
pub mod names;

use mizzen_sdk::Kind;

pub use hosts::{HostError, hosts};
pub use mesh::{declare, in_mesh};

/// The label of traits, workloads and pods that names their application.
pub const APP: &str = "app.oam.dev/name";
/// The label of traits, workloads and pods that names their component.
pub const COMPONENT: &str = "app.oam.dev/component";

/// What lets traffic in for one component of an application.
pub fn ingress_trait() -> Kind {
    Kind::new("oam.verrazzano.io/v1alpha1", "IngressTrait")
}

/// An application: its components and their traits.
pub fn application() -> Kind {
    Kind::new("core.oam.dev/v1alpha2", "ApplicationConfiguration")
}

/// Istio's Gateway, one for each application.
pub fn gateway() -> Kind {
    Kind::new("networking.istio.io/v1", "Gateway")
}

/// Istio's `AuthorizationPolicy`.
pub fn authorization_policy() -> Kind {
    Kind::new("security.istio.io/v1", "AuthorizationPolicy")
}
