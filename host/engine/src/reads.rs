//! What a call reaches through the host: each read is checked against declaration and grant, recorded, then answered.

mod access;
pub(crate) mod index;
mod outbound;
mod recorder;
pub(crate) mod renderers;
mod traffic;

pub(crate) use recorder::{Recorded, Recorder};
