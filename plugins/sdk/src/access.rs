//! Why the host did not grant or serve what a call wanted.

use std::fmt;

/// Why a read failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Not declared in the description, or not granted by the operator.
    Denied(String),
    /// The API server does not serve the kind.
    NotServed(String),
    /// Temporarily unavailable.
    Unavailable(String),
    /// The read is malformed, or an object does not have the expected type.
    Invalid(String),
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Denied(why) | Self::NotServed(why) | Self::Unavailable(why) | Self::Invalid(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for AccessError {}
