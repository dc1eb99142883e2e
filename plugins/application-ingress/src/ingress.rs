//! A validated trait: nothing that follows can fail. The error names the first invalid field.

use mizzen_oam_api::hosts;
use serde_json::Value;

use crate::attribute::Attribute;
use crate::{together, written};

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
    /// Validates a trait.
    pub(crate) fn parse(spec: &Value, owner: Owner<'_>, domain: Option<&str>) -> Result<Self, Invalid> {
        let spec: written::Spec = serde_path_to_error::deserialize(spec)
            .map_err(|error| invalid(format!("spec.{}", error.path()), error.inner().to_string()))?;
        if spec.rules.is_empty() {
            return Err(invalid("spec.rules", "it is empty: write a rule with `hosts`, `paths` and `destination`"));
        }
        let secret = Some(spec.tls.secret_name).filter(|name| !name.is_empty());
        let parse = |(at, rule)| Rule::parse(rule, &format!("spec.rules[{at}]"), owner, domain);
        let rules = spec.rules.into_iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        together::enforceable(&together::groups(&rules))?;
        Ok(Self { rules, secret })
    }

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

impl Rule {
    fn parse(rule: written::Rule, at: &str, owner: Owner<'_>, domain: Option<&str>) -> Result<Self, Invalid> {
        let hosts = hosts(owner.app, owner.namespace, domain, &rule.hosts)
            .map_err(|error| invalid(format!("{at}.hosts"), error.to_string()))?;
        let mut paths: Vec<Path> = Vec::new();
        for (own, path) in rule.paths.into_iter().enumerate() {
            let at = format!("{at}.paths[{own}]");
            let path = Path::parse(path, &at)?;
            if paths.iter().any(|other| other.matches == path.matches) {
                return Err(invalid(at, "the rule contains the same path before: write it once"));
            }
            paths.push(path);
        }
        if paths.is_empty() {
            paths.push(Path { matches: Matches::Prefix("/".into()), policy: None });
        }
        let (destination, cookie) = destination(rule.destination, &format!("{at}.destination"))?;
        Ok(Self { hosts, paths, destination, cookie })
    }
}

impl Path {
    fn parse(path: written::Path, at: &str) -> Result<Self, Invalid> {
        let text = match path.text.trim() {
            "" => "/",
            text => text,
        };
        let kind = path.kind.trim().to_ascii_lowercase();
        let matches = match kind.as_str() {
            "regex" => Matches::Regex(text.into()),
            "prefix" => Matches::Prefix(text.into()),
            "" if text == "/" => Matches::Prefix(text.into()),
            "exact" | "" => Matches::Exact(text.into()),
            _ => return Err(invalid(format!("{at}.pathType"), format!("`{kind}` is not one of exact, prefix, regex"))),
        };
        let is_regex = matches!(matches, Matches::Regex(_));
        if !is_regex && (!text.starts_with('/') || text.contains(|c: char| c.is_whitespace() || c.is_control())) {
            return Err(invalid(
                format!("{at}.path"),
                format!("{text:?} is not a valid path of a URL: start it with `/`"),
            ));
        }
        let Some(policy) = path.policy else { return Ok(Self { matches, policy: None }) };
        let at = format!("{at}.authorizationPolicy");
        if is_regex {
            return Err(invalid(at, "Istio does not support regular expressions here: make the path exact or prefix"));
        }
        if policy.rules.is_empty() {
            return Err(invalid(format!("{at}.rules"), "it is empty: write who is allowed, or omit the policy"));
        }
        let parse = |(own, rule)| Permission::parse(rule, &format!("{at}.rules[{own}]"));
        let permissions = policy.rules.into_iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { matches, policy: Some(permissions) })
    }
}

impl Permission {
    fn parse(rule: written::PolicyRule, at: &str) -> Result<Self, Invalid> {
        let principals = rule.from.map(|from| from.request_principals).unwrap_or_default();
        if principals.is_empty() || principals.iter().any(String::is_empty) {
            let why = "write who is allowed, e.g. `*` for every authenticated caller";
            return Err(invalid(format!("{at}.from.requestPrincipals"), why));
        }
        let mut conditions = Vec::new();
        for (own, written::When { key, values }) in rule.when.into_iter().enumerate() {
            let at = format!("{at}.when[{own}]");
            let Some(attribute) = Attribute::of(&key) else {
                let why = format!("Istio has no attribute `{key}`, and would refuse the policy or ignore the rule");
                return Err(invalid(format!("{at}.key"), why));
            };
            if let Some(why) = attribute.refuses(&values) {
                return Err(invalid(format!("{at}.values"), why));
            }
            conditions.push((key, values));
        }
        Ok(Self { principals, conditions })
    }
}

fn destination(written: written::Destination, at: &str) -> Result<(Option<Destination>, Option<Cookie>), Invalid> {
    let port = match written.port {
        0 => None,
        port => Some(
            u16::try_from(port).map_err(|_| invalid(format!("{at}.port"), format!("{port} is not a valid port")))?,
        ),
    };
    let cookie = written.http_cookie.map(|cookie| {
        if cookie.name.is_empty() {
            return Err(invalid(format!("{at}.httpCookie.name"), "a cookie needs a name"));
        }
        let path = Some(cookie.path).filter(|path| !path.is_empty());
        Ok(Cookie { name: cookie.name, path, ttl: cookie.ttl })
    });
    if written.host.is_empty() && port.is_some() {
        return Err(invalid(format!("{at}.host"), "it is required with `port`"));
    }
    let host = Some(written.host).filter(|host| !host.is_empty());
    Ok((host.map(|host| Destination { host, port }), cookie.transpose()?))
}

fn invalid(field: impl Into<String>, why: impl Into<String>) -> Invalid {
    Invalid::new(field, why)
}
