//! A native implementation of `api-operator`: the same objects and the same status from the same reads.
//!
//! It is independent of a cluster, since two benches use it: the native operator, with which the host is
//! compared, and the call of the component, which is compared with this code only.

mod exposed_api;
mod mesh;
mod published;

pub use exposed_api::{ApiStatus, ApiType, Condition, ExposedApi, Implementation, InvalidSpec, Spec, Status, resource};
pub use mesh::{Address, Gateway, GatewaySpec, Listener, Port, Settings, any_ready};
pub use published::{Published, service_monitor_kind, virtual_service_kind};
