//! Istio's life: installed, kept, refused, swapped for somebody else's, taken away. Istio's own renderer in the sandbox, on a real control
//! plane whose nodes are kwok's, so that Deployments really roll. Each test has a control plane of its own.

mod kept;
mod leaving;
mod refused;
mod swapped;
