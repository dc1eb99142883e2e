//! A validated trait: nothing that follows can fail.

/// Why a trait is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {why}")]
pub(crate) struct Invalid {
    field: String,
    why: String,
}

/// The trait's identity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) app: &'a str,
}

/// A trait.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) rules: Vec<Rule>,
    /// The Secret with its own certificate.
    pub(crate) secret: Option<String>,
}

/// Hosts and paths with one destination. At least one of each.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) hosts: Vec<String>,
    pub(crate) paths: Vec<Path>,
    /// `None`: the Service of the trait's component.
    pub(crate) destination: Option<Destination>,
    pub(crate) cookie: Option<Cookie>,
}

/// The requests that a rule matches.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) matches: Matches,
    /// Who may send them; `None`: all callers.
    pub(crate) policy: Option<Vec<Permission>>,
}

/// How a request's path is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Matches {
    Exact(String),
    Prefix(String),
    Regex(String),
}

/// A permission: for one of these principals, if each of these conditions holds. At least one
/// principal or condition.
#[derive(Debug)]
pub(crate) struct Permission {
    pub(crate) principals: Vec<String>,
    /// Keys, and the valid values of each.
    pub(crate) conditions: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Destination {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) path: Option<String>,
    /// Seconds; 0: until the browser ends.
    pub(crate) ttl: u32,
}

// === impl Invalid ===

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

// === impl Ingress ===

impl Ingress {
    /// The hosts of all rules, in their order, without duplicates.
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for host in self.rules.iter().flat_map(|rule| &rule.hosts) {
            if !all.contains(&host.as_str()) {
                all.push(host);
            }
        }
        all
    }
}
