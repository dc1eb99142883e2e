//! Optional fields as charts render them: `null`, an empty text or an empty object for a missing
//! value.

use serde::{Deserialize, Deserializer};

/// `null` has the value of a missing field.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The text, unless it is missing or empty.
pub(crate) fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
