//! What an API's author wants enforced where it is called. All of it is optional, and what is not `enabled` asks for nothing: charts
//! render it with empty texts and `null`.

use serde::Deserialize;

use crate::unsaid::{or_default, said};

/// Who may call an API from the pages of other origins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Whether anything of this holds.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether cookies and the like may come along.
    #[serde(deserialize_with = "or_default")]
    pub allow_credentials: bool,
    /// Comma-separated origins; none is any.
    pub allow_origins: Option<String>,
    /// How a browser's question beforehand is answered.
    #[serde(deserialize_with = "or_default")]
    pub handle_preflight_requests: Preflight,
}

/// How a browser's question beforehand is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Written")]
pub struct Preflight {
    /// Whether it is answered before it reaches the implementation.
    pub enabled: bool,
    /// Comma-separated names of headers.
    pub allow_headers: String,
    /// Comma-separated methods.
    pub allow_methods: String,
    /// How long the answer may be kept, in seconds.
    pub max_age: u32,
}

/// How often an API may be called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimit {
    /// Whether anything of this holds.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// What callers are told apart by; none: all of them share one limit.
    pub identifier: Option<String>,
    /// How many calls, as a text.
    pub limit: Option<String>,
    /// In how long.
    pub interval: Interval,
}

/// In how long a limit is used up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Interval {
    /// In a second.
    #[default]
    Second,
    /// In a minute.
    Minute,
    /// None of those.
    Unknown(String),
}

/// Whether callers need a key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Verification {
    /// Whether they do.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
}

/// How often an API may be called in all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// What callers are told apart by.
    pub identifier: Option<String>,
    /// How many calls, as a text.
    pub limit: Option<String>,
}

/// Whether calls and answers are held against the specification.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OasValidation {
    /// Whether calls are.
    #[serde(deserialize_with = "or_default")]
    pub request_enabled: bool,
    /// Whether answers are.
    #[serde(deserialize_with = "or_default")]
    pub response_enabled: bool,
}

/// As it is written: what is left open is what the Canvas's definition names as its default.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    enabled: Option<bool>,
    allow_headers: Option<String>,
    allow_methods: Option<String>,
    max_age: Option<u32>,
}

impl From<Written> for Preflight {
    fn from(Written { enabled, allow_headers, allow_methods, max_age }: Written) -> Self {
        let usual = Self::default();
        Self {
            enabled: enabled.unwrap_or(usual.enabled),
            allow_headers: said(allow_headers).unwrap_or(usual.allow_headers),
            allow_methods: said(allow_methods).unwrap_or(usual.allow_methods),
            max_age: max_age.unwrap_or(usual.max_age),
        }
    }
}

impl Default for Preflight {
    /// What the Canvas's definition names as defaults.
    fn default() -> Self {
        let headers = "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, Access-Control-Request-Headers";
        Self {
            enabled: true,
            allow_headers: headers.to_owned(),
            allow_methods: "GET, POST, HEAD, OPTIONS".to_owned(),
            max_age: 1800,
        }
    }
}

impl From<Option<String>> for Interval {
    fn from(text: Option<String>) -> Self {
        match said(text) {
            None => Self::default(),
            Some(text) => match text.as_str() {
                "ps" => Self::Second,
                "pm" => Self::Minute,
                _ => Self::Unknown(text),
            },
        }
    }
}

impl Quota {
    /// Whether it asks for anything: it has no switch of its own.
    pub fn is_asked_for(&self) -> bool {
        [&self.identifier, &self.limit].into_iter().flatten().any(|text| !text.is_empty())
    }
}
