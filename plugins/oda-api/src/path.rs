//! Paths of APIs, and which other paths they could be confused with.

use std::fmt;

use serde::Deserialize;

/// The path of an API: `/`, or `/a/b`, without a final slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(String);

/// Why a text is not a valid path of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is relative.
    #[error("a path must start with `/`: `{0}`")]
    Relative(String),
    /// No request has such a path.
    #[error("a path must not contain a space, `?` or `#`: {0:?}")]
    Foreign(String),
    /// Proxies normalise such a path: they resolve dots and merge slashes.
    #[error("a path must not contain `//` or the segments `.` and `..`: `{0}`")]
    Ambiguous(String),
}

impl Path {
    /// The path itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The prefix of paths below it: `/a/` for `/a`, `/` for `/`.
    pub fn below(&self) -> String {
        if self.is_root() { self.0.clone() } else { format!("{}/", self.0) }
    }

    /// The paths above it, the longest first: for `/a/b/c` these are `/a/b`, `/a` and `/`.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    fn parent(&self) -> Option<Self> {
        let (above, _) = self.0.rsplit_once('/').filter(|_| !self.is_root())?;
        Some(Self(if above.is_empty() { "/" } else { above }.to_owned()))
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative(text));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#".contains(c)) {
            return Err(PathError::Foreign(text));
        }
        let trimmed = text.strip_suffix('/').unwrap_or(&text);
        if trimmed.split('/').skip(1).any(|step| matches!(step, "" | "." | "..")) {
            return Err(PathError::Ambiguous(text));
        }
        Ok(Self(if trimmed.is_empty() { "/" } else { trimmed }.to_owned()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
