//! What a guest can reach, one capability a file. Each counts as a host call, and each is refused unless it was granted.

pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod renderers;

use crate::bindings::mizzen::plugin::types;
use crate::guest::Guest;

// `types` has no functions; the linker wants somebody to stand for it all the same.
impl types::Host for Guest {}
