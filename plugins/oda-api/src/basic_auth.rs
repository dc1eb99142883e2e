//! The credentials for scraping an API's metrics.

use serde::{Deserialize, Deserializer, Serialize};

/// References to a user name and a password. Passed on, and never read: no plugin sees a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct BasicAuth {
    /// The user name.
    pub username: SecretKey,
    /// The password.
    pub password: SecretKey,
}

/// A key of a Secret in the API's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "`name` and `key` of a Secret")]
pub struct SecretKey {
    /// The Secret's name.
    pub name: String,
    /// The key in it.
    pub key: String,
}

/// Both halves or neither: one alone is not enough to authenticate.
pub(crate) fn basic_auth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BasicAuth>, D::Error> {
    #[derive(Deserialize)]
    struct Written {
        username: Option<SecretKey>,
        password: Option<SecretKey>,
    }
    let Some(Written { username, password }) = Option::deserialize(deserializer)? else { return Ok(None) };
    let is_set = |key: &SecretKey| !(key.name.is_empty() && key.key.is_empty());
    match (username.filter(is_set), password.filter(is_set)) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(BasicAuth { username, password })),
        (None, Some(_)) => Err(serde::de::Error::missing_field("username")),
        (Some(_), None) => Err(serde::de::Error::missing_field("password")),
    }
}
