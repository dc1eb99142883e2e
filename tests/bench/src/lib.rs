//! What a native author of `api-operator` would write: the same objects and the same status from the same reads.
//!
//! Held apart from the cluster, since two benches need it: the native operator, which the host is measured against, and the call
//! of the component, which is measured against this code alone.

mod exposed_api;
mod mesh;
mod published;

pub use exposed_api::{ApiStatus, ApiType, Condition, ExposedApi, Implementation, InvalidSpec, Spec, Status, resource};
pub use mesh::{Address, Gateway, GatewaySpec, Listener, Port, Settings, any_ready};
pub use published::{Published, service_monitor_kind, virtual_service_kind};
