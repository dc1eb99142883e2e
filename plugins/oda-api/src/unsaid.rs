//! Optional fields as charts render them: `null`, an empty text or an empty object for a missing
//! value.

use serde::{Deserialize, Deserializer};

use crate::{BasicAuth, SecretKey};

/// `null` has the value of a missing field.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The text, unless it is missing or empty.
pub(crate) fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Both halves or neither: one alone is not enough to authenticate.
pub(crate) fn basic_auth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BasicAuth>, D::Error> {
    #[derive(Deserialize)]
    struct Written {
        username: Option<SecretKey>,
        password: Option<SecretKey>,
    }
    let Some(Written { username, password }) = Option::deserialize(deserializer)? else { return Ok(None) };
    let said = |key: &SecretKey| !(key.name.is_empty() && key.key.is_empty());
    match (username.filter(said), password.filter(said)) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(BasicAuth { username, password })),
        (None, Some(_)) => Err(serde::de::Error::missing_field("username")),
        (Some(_), None) => Err(serde::de::Error::missing_field("password")),
    }
}
