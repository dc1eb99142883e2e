//! The supported versions of an Istio that another party installed.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{NotAVersion, Version};

/// From one minor version to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Supported {
    /// The lowest, e.g. `1.29`.
    #[schemars(with = "String", regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub from: Minor,
    /// The highest.
    #[schemars(with = "String", regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    pub to: Minor,
}

/// A minor version, e.g. `1.31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Minor(u32, u32);

impl Supported {
    /// Whether a version is in the range.
    pub fn contains(&self, version: Version) -> bool {
        (self.from..=self.to).contains(&Minor(version.major, version.minor))
    }
}

impl Default for Supported {
    /// The versions that Istio itself supports.
    fn default() -> Self {
        Self { from: Minor(1, 29), to: Minor(1, 31) }
    }
}

impl TryFrom<String> for Minor {
    type Error = NotAVersion;

    fn try_from(text: String) -> Result<Self, NotAVersion> {
        let version = Version::parse(&format!("{text}.0")).map_err(|_| NotAVersion::new(&text, "1.31"))?;
        Ok(Self(version.major, version.minor))
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl fmt::Display for Supported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn supported(value: Value) -> serde_json::Result<Supported> {
        serde_json::from_value(value)
    }

    #[test]
    fn a_range_includes_both_ends_with_all_patches() {
        let range = supported(json!({"from": "1.29", "to": "1.30"})).unwrap();
        let versions = [(1, 28, 9), (1, 29, 0), (1, 30, 7), (1, 31, 0), (2, 29, 0)];
        let contained = versions.map(|(major, minor, patch)| range.contains(Version::new(major, minor, patch)));
        assert_eq!(contained, [false, true, true, false, false]);
        assert_eq!(range.to_string(), "1.29 to 1.30");
    }

    #[test]
    fn a_range_does_not_end_at_a_patch() {
        assert!(supported(json!({"from": "1.29.1"})).unwrap_err().to_string().contains("e.g. `1.31`"));
    }
}
