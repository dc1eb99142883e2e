//! Why the host refuses a read.

/// Why a read failed. The Rust form of `types.access-error`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The plugin does not declare the access, or the configuration does not grant it.
    #[error("denied: {0}")]
    Denied(String),
    /// The API server does not serve the kind.
    #[error("not served: {0}")]
    NotServed(String),
    /// The result is not available now.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The parameters of the read are not valid.
    #[error("invalid: {0}")]
    Invalid(String),
}
