//! The cluster trait on a real API server. The only crate that knows kube.
