//! From external endpoints to the Istio objects that let a mesh reach them.
//!
//! ```text
//! text ─► Target, Port, Protocol ─► Endpoint ─► Endpoints ─► divide ─► objects ─► ServiceEntry, VirtualService
//!         each checked as it is read   │           one protocol for        one owner    what Istio takes
//!                                      │           each port of a target   for each target
//!                                      └ only what Istio can route
//! ```
//!
//! Behaviour: the Istio integration of Dynatrace's operator (the objects' names, ports, protocols
//! and resolutions), with its faults fixed: these types can't express what Istio would refuse or
//! blackhole. This crate knows nothing of Dynatrace: the plugin `egress` reads DynaKubes, the
//! plugin `egress-hosts` lists that any user writes, and both end in [`objects`].

mod endpoint;
mod endpoints;
mod objects;
mod target;
mod url;

pub use endpoint::{Endpoint, EndpointError, Port, PortError, Protocol};
pub use endpoints::{Endpoints, Precedence, Refusal, divide};
pub use objects::{Grouping, NameError, Part, Prefix, Scope, Visibility, objects, service_entry, virtual_service};
pub use target::{Host, Net, Target, TargetError, TargetFault, Wildcard};
pub use url::{Url, UrlError};

#[cfg(test)]
mod tests;
