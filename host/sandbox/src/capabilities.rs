//! The host calls that a guest can make, one capability per file. Each is counted, and denied unless it was granted.

mod clock;
mod cluster;
mod http;
mod log;
mod renderers;
pub(crate) mod wasi;

use crate::bindings::mizzen::plugin::types;
use crate::guest::Guest;

// `types` has no functions; the linker needs an implementation all the same.
impl types::Host for Guest {}
