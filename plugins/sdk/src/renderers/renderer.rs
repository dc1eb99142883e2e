//! A renderer, and why it rendered nothing.

use std::collections::BTreeMap;
use std::fmt;

use crate::access::AccessError;

/// A renderer that this reconciler may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderer {
    /// Its name in [`render`](super::render).
    pub name: String,
    /// Labels to choose it by.
    pub labels: BTreeMap<String, String>,
}

/// Why nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderError {
    /// The renderer reports that the document is wrong; with its message.
    Rejected(String),
    /// The renderer returned neither objects nor a message: it trapped, met a limit, ended with an
    /// exit code or wrote something else.
    Failed(String),
    /// The renderer was not called: it is not granted, or not loaded yet.
    Access(AccessError),
}

impl From<AccessError> for RenderError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) | Self::Failed(why) => f.write_str(why),
            Self::Access(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RenderError {}
