//! Paths of APIs: where one lies below a host, and which others it could be confused with.

use std::fmt;

use serde::Deserialize;

/// Where an API is, below its host: `/`, or `/a/b`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Path(String);

/// Why a text is no path of an API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is relative.
    #[error("a path begins with `/`: `{0}`")]
    Relative(String),
    /// No request has such a path.
    #[error("no path of a URL holds a space, `?` or `#`: {0:?}")]
    Foreign(String),
    /// Proxies take such a path for another one: dots are resolved, slashes are merged.
    #[error("a path holds neither `//` nor the steps `.` and `..`: `{0}`")]
    Ambiguous(String),
}

impl Path {
    /// The path itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `/`, below which everything is.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// What the paths below it begin with: `/a/` for `/a`, `/` for `/`.
    pub fn below(&self) -> String {
        if self.is_root() { self.0.clone() } else { format!("{}/", self.0) }
    }

    /// The paths it lies below, the longest first: of `/a/b/c` those are `/a/b`, `/a` and `/`.
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
