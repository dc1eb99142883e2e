//! Texts that become part of other objects: checked here once, so that no object is refused for them later.

use std::fmt;

use mizzen_sdk::names::is_label;
use serde::{Deserialize, Deserializer};

/// The name of a Service: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceName(String);

/// A host name in lower case, for hosts are the same in any; its first label may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

/// Why a text can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A Service can't be called so.
    #[error("`{0}` is no name of a Service: lower-case letters, digits and `-`, at most 63")]
    Service(String),
    /// No host is called so.
    #[error(
        "`{0}` is no host name: labels of letters, digits and `-` with dots between them, and at most a leading `*.`"
    )]
    Host(String),
}

impl ServiceName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Host {
    /// The host itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceName {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        if is_label(&text) { Ok(Self(text)) } else { Err(TextError::Service(text)) }
    }
}

impl TryFrom<String> for Host {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let host = text.to_ascii_lowercase();
        let labels = host.strip_prefix("*.").unwrap_or(&host);
        if host.len() <= 253 && labels.split('.').all(is_label) { Ok(Self(host)) } else { Err(TextError::Host(text)) }
    }
}

/// Reads a host that need not be said: an empty text is what a chart renders for none, and `*` is any, which is none in particular.
///
/// # Errors
/// When what is said is no host name.
pub fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Host>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !matches!(text.as_str(), "" | "*"));
    text.map(|text| Host::try_from(text).map_err(serde::de::Error::custom)).transpose()
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
