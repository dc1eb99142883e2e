//! The lifecycle of Istio: installed, repaired, refused, replaced by an external installation, deleted. Istio's
//! own renderer runs in the sandbox, on a real control plane with nodes of kwok, so that Deployments roll out.

mod deleted;
mod external;
mod installed;
mod refused;
