//! What Kubernetes means by its values: quantities and rollout status, as hosts and plugins both need them.
//!
//! Everything here is pure and compiles to WebAssembly.
//!
//! ```
//! use mizzen_k8s::{Listed, Quantity, rollout};
//! use serde_json::json;
//!
//! let memory: Quantity = "1.5Gi".parse()?;
//! assert_eq!(memory, "1536Mi".parse()?);
//! assert_eq!(memory.bytes(), Some(1_610_612_736));
//!
//! let set = json!({
//!     "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"generation": 2},
//!     "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 1},
//! });
//! assert_eq!(rollout::Status::of(&set).to_string(), "1 of 3 pods are updated");
//!
//! assert_eq!(Listed::first(2, &["a", "b", "c"]).to_string(), "a, b and 1 more");
//! # Ok::<(), mizzen_k8s::QuantityError>(())
//! ```

mod listed;
mod quantity;
pub mod rollout;

pub use listed::Listed;
pub use quantity::{Quantity, QuantityError};
