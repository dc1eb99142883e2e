//! What a call reaches through the host: each read is checked, recorded, and then answered.

pub(crate) mod index;
pub(crate) mod outbound;
pub(crate) mod recorder;
pub(crate) mod renderers;
