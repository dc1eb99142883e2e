//! Validates a trait. The error names the first invalid field.

use mizzen_oam_api::hosts;
use serde_json::Value;

use crate::attribute::Attribute;
use crate::ingress::{Cookie, Destination, Ingress, Invalid, Matches, Owner, Path, Permission, Rule};
use crate::{together, written};

/// Validates a trait.
pub(crate) fn parse(spec: &Value, owner: Owner<'_>, domain: Option<&str>) -> Result<Ingress, Invalid> {
    let spec: written::Spec = serde_path_to_error::deserialize(spec)
        .map_err(|error| invalid(format!("spec.{}", error.path()), error.inner().to_string()))?;
    if spec.rules.is_empty() {
        return Err(invalid("spec.rules", "it is empty: write a rule with `hosts`, `paths` and `destination`"));
    }
    let secret = Some(spec.tls.secret_name).filter(|name| !name.is_empty());
    let parse = |(at, rule)| parse_rule(rule, &format!("spec.rules[{at}]"), owner, domain);
    let rules = spec.rules.into_iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
    together::enforceable(&together::groups(&rules))?;
    Ok(Ingress { rules, secret })
}

fn parse_rule(rule: written::Rule, at: &str, owner: Owner<'_>, domain: Option<&str>) -> Result<Rule, Invalid> {
    let hosts = hosts(owner.app, owner.namespace, domain, &rule.hosts)
        .map_err(|error| invalid(format!("{at}.hosts"), error.to_string()))?;
    let mut paths: Vec<Path> = Vec::new();
    for (own, path) in rule.paths.into_iter().enumerate() {
        let at = format!("{at}.paths[{own}]");
        let path = parse_path(path, &at)?;
        if paths.iter().any(|other| other.matches == path.matches) {
            return Err(invalid(at, "the rule contains the same path before: write it once"));
        }
        paths.push(path);
    }
    if paths.is_empty() {
        paths.push(Path { matches: Matches::Prefix("/".into()), policy: None });
    }
    let (destination, cookie) = parse_destination(rule.destination, &format!("{at}.destination"))?;
    Ok(Rule { hosts, paths, destination, cookie })
}

fn parse_path(path: written::Path, at: &str) -> Result<Path, Invalid> {
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
        return Err(invalid(format!("{at}.path"), format!("{text:?} is not a valid path of a URL: start it with `/`")));
    }
    let Some(policy) = path.policy else { return Ok(Path { matches, policy: None }) };
    let at = format!("{at}.authorizationPolicy");
    if is_regex {
        return Err(invalid(at, "Istio does not support regular expressions here: make the path exact or prefix"));
    }
    if policy.rules.is_empty() {
        return Err(invalid(format!("{at}.rules"), "it is empty: write who is allowed, or omit the policy"));
    }
    let parse = |(own, rule)| parse_permission(rule, &format!("{at}.rules[{own}]"));
    let permissions = policy.rules.into_iter().enumerate().map(parse).collect::<Result<_, _>>()?;
    Ok(Path { matches, policy: Some(permissions) })
}

fn parse_permission(rule: written::PolicyRule, at: &str) -> Result<Permission, Invalid> {
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
    Ok(Permission { principals, conditions })
}

fn parse_destination(
    written: written::Destination,
    at: &str,
) -> Result<(Option<Destination>, Option<Cookie>), Invalid> {
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
