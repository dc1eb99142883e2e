//! Real traffic for tests: Istio's control plane and an Envoy as the ingress gateway, on loopback, beside a
//! test control plane. Istio's configuration in the API server decides where a request goes.
//!
//! ```text
//! API server ─► istiod (pilot-discovery) ─► Envoy ─► a backend on loopback
//!                                             ▲
//!                            a test's request ┘      (another Envoy may be the backend's sidecar)
//! ```
//!
//! istiod is built once from the Go module in `tests/traffic/go.mod`, and Envoy comes from PyPI, pinned in
//! `tests/traffic/requirements.txt`: see [`Tools`]. Everything listens on 127.0.0.1 only, on ports of its
//! own, and ends when the value that represents it is dropped.

mod backend;
mod envoy;
mod gateway;
mod istiod;
mod proxy;
mod request;
mod start;
mod tools;

pub use backend::Backend;
pub use envoy::Label;
pub use gateway::IngressGateway;
pub use proxy::Proxy;
pub use request::{Request, Response, get};
pub use start::StartError;
pub use tools::{Tools, ToolsError};
