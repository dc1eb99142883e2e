//! Istio's versions, and which upgrades are supported.

use std::fmt;

/// A version of Istio, e.g. `1.31.0`. What follows the patch number (`-distroless`, `-rc.0`) names
/// the build, and is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The major version.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
    /// The patch version.
    pub patch: u32,
}

/// Why a text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of Istio; write e.g. `{example}`")]
pub struct NotAVersion {
    text: String,
    example: &'static str,
}

/// Why an upgrade is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A downgrade: an older control plane need not understand the objects of a newer one.
    #[error("{to} is lower than {from}, and Istio does not support downgrades")]
    Lower {
        /// The installed version.
        from: Version,
        /// The desired version.
        to: Version,
    },
    /// A change of the major version.
    #[error("{to} has another major version than {from}")]
    Major {
        /// The installed version.
        from: Version,
        /// The desired version.
        to: Version,
    },
    /// A step of more than one minor version.
    #[error("{to} is more than one minor version above {from}: upgrade to {}.{} first", .from.major, .from.minor + 1)]
    Minors {
        /// The installed version.
        from: Version,
        /// The desired version.
        to: Version,
    },
}

impl Version {
    /// A version of three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Parses `1.31.0`, with or without a suffix.
    pub fn parse(text: &str) -> Result<Self, NotAVersion> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let numbers: Option<Vec<u32>> = numbers.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(NotAVersion::new(text, "1.31.0")),
        }
    }

    /// The version in an image's tag; `None` for an image without one.
    pub fn of_image(image: &str) -> Option<Self> {
        let name = image.split('@').next()?.rsplit('/').next()?;
        Self::parse(name.split_once(':')?.1).ok()
    }

    /// Checks an upgrade from this version: not to a lower version, not to another major version,
    /// and by one minor version at most.
    ///
    /// Behaviour: Kyma's table.
    pub fn to(self, to: Self) -> Result<(), Refusal> {
        let from = self;
        if from.major != to.major {
            Err(Refusal::Major { from, to })
        } else if to < from {
            Err(Refusal::Lower { from, to })
        } else if to.minor - from.minor > 1 {
            Err(Refusal::Minors { from, to })
        } else {
            Ok(())
        }
    }

    /// The previous minor version, as `compatibilityVersion` expects it; `None` for the first.
    pub fn minor_before(self) -> Option<String> {
        Some(format!("{}.{}", self.major, self.minor.checked_sub(1)?))
    }
}

impl NotAVersion {
    pub(crate) fn new(text: &str, example: &'static str) -> Self {
        Self { text: text.to_owned(), example }
    }
}

/// Digits only: `u32` would also parse `+1`.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn the_build_of_a_version_is_ignored() {
        for text in ["1.31.0", "1.31.0-distroless", "1.31.0-rc.0", "1.31.0+fips"] {
            assert_eq!(version(text), Version::new(1, 31, 0), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_version_is_refused() {
        for text in ["", "latest", "1.31", "1.31.x", "v1.31.0", "1.31.0.1", "+1.31.0", "1..0", "1.31.99999999999"] {
            assert!(Version::parse(text).unwrap_err().to_string().contains("e.g. `1.31.0`"), "{text}");
        }
    }

    #[test]
    fn the_version_of_an_image_is_in_its_tag() {
        for (image, expected) in [
            ("docker.io/istio/pilot:1.31.0", Some(Version::new(1, 31, 0))),
            ("registry:5000/istio/pilot:1.30.2-distroless@sha256:00", Some(Version::new(1, 30, 2))),
            ("registry:5000/istio/pilot", None),
            ("istio/pilot@sha256:00", None),
            ("istio/pilot:latest", None),
            ("auto", None),
        ] {
            assert_eq!(Version::of_image(image), expected, "{image}");
        }
    }

    #[test]
    fn the_table_of_upgrades() {
        for (from, to, passes) in [
            ("1.30.2", "1.30.2", true),
            ("1.30.2", "1.30.2-distroless", true),
            ("1.30.2", "1.30.3", true),
            ("1.30.2", "1.31.0", true),
            ("1.30.2", "1.30.1", false),
            ("1.30.2", "1.29.9", false),
            ("1.30.2", "1.32.0", false),
            ("1.30.2", "2.0.0", false),
            ("2.0.0", "1.30.2", false),
        ] {
            assert_eq!(version(from).to(version(to)).is_ok(), passes, "{from} to {to}");
        }
    }

    #[test]
    fn a_refusal_names_the_way_out() {
        let why = |from, to| version(from).to(version(to)).unwrap_err().to_string();
        assert_eq!(why("1.30.2", "1.29.0"), "1.29.0 is lower than 1.30.2, and Istio does not support downgrades");
        assert!(why("1.30.2", "1.33.0").ends_with("upgrade to 1.31 first"));
        assert_eq!(why("1.30.2", "2.0.0"), "2.0.0 has another major version than 1.30.2");
    }

    #[test]
    fn the_previous_minor_version_is_one_lower() {
        assert_eq!(version("1.31.4").minor_before().as_deref(), Some("1.30"));
        assert_eq!(version("1.0.0").minor_before(), None);
    }
}
