//! Why a component can't be called.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a component could not be loaded: the loader's own error with its source, or a message. Clones share it, as
/// several reconcilers may use the component.
#[derive(Clone, Debug)]
pub struct LoadError(Arc<dyn Error + Send + Sync>);

// === impl LoadError ===

impl LoadError {
    /// Takes any error, or a message.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
