//! The Istio custom resource.
