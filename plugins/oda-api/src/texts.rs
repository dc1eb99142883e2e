//! Texts that become part of other objects: checked here, so that no object is refused because of
//! them.

use std::fmt;

use mizzen_sdk::names::is_label;
use serde::{Deserialize, Deserializer};

/// The name of a Service: a DNS label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceName(String);

/// A host name in lower case, because host names are case-insensitive; its first label may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

/// Why a text is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not a valid name of a Service.
    #[error("`{0}` is not a valid name of a Service: write lower-case letters, digits and `-`, at most 63")]
    Service(String),
    /// Not a valid host name.
    #[error(
        "`{0}` is not a valid host name: write labels of letters, digits and `-`, separated by dots, \
         with at most a leading `*.`"
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

/// Deserializes an optional host: an empty text is what a chart renders for a missing one, and `*`
/// is any host.
///
/// # Errors
/// If the text is not a valid host name.
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
