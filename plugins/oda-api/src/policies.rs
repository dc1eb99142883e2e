//! Policies of an API. All are optional, and one that is not `enabled` has no effect: charts render
//! them with empty texts and `null`.

use serde::Deserialize;

use crate::optional::{non_empty, or_default};

/// CORS: which pages of other origins may call an API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Whether the policy applies.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether credentials such as cookies are allowed.
    #[serde(deserialize_with = "or_default")]
    pub allow_credentials: bool,
    /// Comma-separated origins; empty means any.
    pub allow_origins: Option<String>,
    /// Preflight requests.
    #[serde(deserialize_with = "or_default")]
    pub handle_preflight_requests: Preflight,
}

/// Preflight requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Written")]
pub struct Preflight {
    /// Whether the gateway responds to them.
    pub enabled: bool,
    /// Comma-separated names of headers.
    pub allow_headers: String,
    /// Comma-separated methods.
    pub allow_methods: String,
    /// How long a response may be cached, in seconds.
    pub max_age: u32,
}

/// The rate limit of an API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RateLimit {
    /// Whether the policy applies.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// What identifies callers; empty: all of them share one limit.
    pub identifier: Option<String>,
    /// The number of calls, as a text.
    pub limit: Option<String>,
    /// The interval.
    pub interval: Interval,
}

/// The interval of a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Option<String>")]
pub enum Interval {
    /// In a second.
    #[default]
    Second,
    /// In a minute.
    Minute,
    /// Any other.
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

/// The total limit of an API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// What identifies callers.
    pub identifier: Option<String>,
    /// The number of calls, as a text.
    pub limit: Option<String>,
}

/// Validation of requests and responses against the specification.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OasValidation {
    /// Whether requests are validated.
    #[serde(deserialize_with = "or_default")]
    pub request_enabled: bool,
    /// Whether responses are validated.
    #[serde(deserialize_with = "or_default")]
    pub response_enabled: bool,
}

/// As written; missing fields have the defaults of the Canvas's definition.
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
            allow_headers: non_empty(allow_headers).unwrap_or(usual.allow_headers),
            allow_methods: non_empty(allow_methods).unwrap_or(usual.allow_methods),
            max_age: max_age.unwrap_or(usual.max_age),
        }
    }
}

impl Default for Preflight {
    /// The defaults of the Canvas's definition.
    fn default() -> Self {
        let headers = "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, \
            Access-Control-Request-Headers";
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
        match non_empty(text) {
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
    /// Whether it sets a limit: it has no switch of its own.
    pub fn is_asked_for(&self) -> bool {
        [&self.identifier, &self.limit].into_iter().flatten().any(|text| !text.is_empty())
    }
}
