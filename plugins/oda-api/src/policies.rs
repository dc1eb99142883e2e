//! What an API's author wants enforced where it is called. All of it is optional, and what is not `enabled` asks for nothing: charts
//! render it with empty texts.

use serde::Deserialize;

/// Who may call an API from the pages of other origins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Whether anything of this holds.
    pub enabled: bool,
    /// Whether cookies and the like may come along.
    pub allow_credentials: bool,
    /// Comma-separated origins; none is any.
    pub allow_origins: Option<String>,
    /// How a browser's question beforehand is answered.
    pub handle_preflight_requests: Preflight,
}

/// How a browser's question beforehand is answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
    pub enabled: bool,
    /// What callers are told apart by; none: all of them share one limit.
    pub identifier: Option<String>,
    /// How many calls, as a text.
    pub limit: Option<String>,
    /// In how long.
    pub interval: Interval,
}

/// In how long a limit is used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Interval {
    /// In a second.
    #[default]
    #[serde(rename = "ps", alias = "")]
    Second,
    /// In a minute.
    #[serde(rename = "pm")]
    Minute,
}

/// Whether callers need a key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Verification {
    /// Whether they do.
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
    pub request_enabled: bool,
    /// Whether answers are.
    pub response_enabled: bool,
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

impl Interval {
    /// In seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
        }
    }
}

impl Quota {
    /// Whether it asks for anything: it has no switch of its own.
    pub fn is_asked_for(&self) -> bool {
        [&self.identifier, &self.limit].into_iter().flatten().any(|text| !text.is_empty())
    }
}
