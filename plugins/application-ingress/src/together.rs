//! Checks across the rules of a trait: several of them can have the same host, and the same
//! destination.

use std::collections::BTreeMap;

use crate::ingress::{Destination, Invalid, Matches, Owner, Path, Rule};

/// Hosts that are in the same rules, and so have the same paths.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) hosts: Vec<&'a str>,
    rules: Vec<usize>,
    pub(crate) places: Vec<Place<'a>>,
}

/// The position of a path in the trait.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    rule: usize,
    own: usize,
    pub(crate) path: &'a Path,
}

/// The hosts of all rules, with their paths.
pub(crate) fn groups(rules: &[Rule]) -> Vec<Group<'_>> {
    let (mut order, mut of_host) = (Vec::new(), BTreeMap::<&str, Vec<usize>>::new());
    for (at, rule) in rules.iter().enumerate() {
        for host in &rule.hosts {
            let within = of_host.entry(host).or_insert_with(|| {
                order.push(&**host);
                Vec::new()
            });
            within.push(at);
        }
    }
    let mut hosts = BTreeMap::<Vec<usize>, Vec<&str>>::new();
    for host in order {
        hosts.entry(of_host.remove(host).unwrap_or_default()).or_default().push(host);
    }
    let group = |(within, hosts): (Vec<usize>, _)| {
        let written = rules.iter().enumerate().filter(|(at, _)| within.contains(at));
        let places = written.flat_map(|(rule, written)| {
            written.paths.iter().enumerate().map(move |(own, path)| Place { rule, own, path })
        });
        Group { hosts, places: places.collect(), rules: within }
    };
    hosts.into_iter().map(group).collect()
}

/// Checks that policies can express what the trait wants.
pub(crate) fn enforceable(groups: &[Group<'_>]) -> Result<(), Invalid> {
    for group in groups {
        let protected: Vec<_> = group.places.iter().filter(|place| place.path.policy.is_some()).collect();
        if !protected.is_empty() {
            group.places.iter().try_for_each(no_pattern)?;
        }
        for open in group.places.iter().filter(|place| place.path.policy.is_none()) {
            protected.iter().try_for_each(|wider| no_regex_within(open, wider))?;
        }
    }
    Ok(())
}

/// Istio has one load balancing per host: of two it would use an arbitrary one.
pub(crate) fn one_cookie_for_each_host(
    rules: &[Rule],
    destinations: &[Destination],
    owner: Owner<'_>,
) -> Result<(), Invalid> {
    let mut cookies = BTreeMap::new();
    for (at, (rule, to)) in rules.iter().zip(destinations).enumerate() {
        let Some(cookie) = &rule.cookie else { continue };
        if cookies.insert(expanded(&to.host, owner.namespace), cookie).is_some_and(|other| other != cookie) {
            let why = "another rule has another cookie for the same host: Istio would use either";
            return Err(Invalid::new(format!("spec.rules[{at}].destination.httpCookie"), why));
        }
    }
    Ok(())
}

/// Policies have their own syntax for paths, in which `*` and `{…}` are patterns: an exception for
/// `/a*`, meant literally, would also except `/admin`.
fn no_pattern(place: &Place<'_>) -> Result<(), Invalid> {
    match &place.path.matches {
        Matches::Exact(text) | Matches::Prefix(text) if text.contains(['*', '{', '}']) => {
            let why = format!("`{text}` is a pattern in policies, and its host has one: do not use `*`, `{{` and `}}`");
            Err(Invalid::new(place.field(), why))
        }
        _ => Ok(()),
    }
}

/// A policy can't except a regular expression, so one within a protected prefix would be blocked
/// although it is open.
fn no_regex_within(open: &Place<'_>, wider: &Place<'_>) -> Result<(), Invalid> {
    match (&open.path.matches, &wider.path.matches) {
        (Matches::Regex(regex), Matches::Prefix(prefix)) if head(regex).starts_with(prefix.as_str()) => {
            let why = format!(
                "`{regex}` lies in `{prefix}` of `{}`, \
                 whose policy can't except a regular expression: make this one exact or prefix",
                wider.field()
            );
            Err(Invalid::new(open.field(), why))
        }
        _ => Ok(()),
    }
}

/// The literal prefix of all paths that a regular expression matches.
fn head(regex: &str) -> &str {
    let anchored = regex.strip_prefix('^').unwrap_or(regex);
    let end = anchored.find(['\\', '.', '[', '(', '{', '*', '+', '?', '$', '^']).unwrap_or(anchored.len());
    let (plain, rest) = anchored.split_at(end);
    let plain = match rest.chars().next() {
        // The last character may be optional.
        Some('{' | '*' | '?') => plain.char_indices().next_back().map_or("", |(last, _)| &plain[..last]),
        _ => plain,
    };
    // With alternatives the first one alone is not a prefix of all.
    if plain.is_empty() || regex.contains('|') { "/" } else { plain }
}

/// The canonical name of a destination: in namespace `shop`, `cart`, `cart.shop` and
/// `cart.shop.svc.cluster.local` are equal.
fn expanded(host: &str, namespace: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let name = host.strip_suffix(".svc.cluster.local").or_else(|| host.strip_suffix(".svc")).unwrap_or(&host);
    if name.contains('.') { name.to_owned() } else { format!("{name}.{namespace}") }
}

// === impl Group ===

impl Group<'_> {
    /// Whether its hosts are in a rule.
    pub(crate) fn is_in(&self, rule: usize) -> bool {
        self.rules.contains(&rule)
    }
}

// === impl Place ===

impl Place<'_> {
    fn field(&self) -> String {
        format!("spec.rules[{}].paths[{}].path", self.rule, self.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_literal_prefix_of_a_regular_expression_is_known() {
        for (regex, plain) in [
            ("/api/.*", "/api/"),
            ("^/api/v[0-9]+", "/api/v"),
            ("/api/?", "/api"),
            ("/ab*", "/a"),
            ("/a\\.b", "/a"),
            ("/api/x|/y", "/"),
            ("(?i)/api", "/"),
            (".*", "/"),
            ("/ü?", "/"),
        ] {
            assert_eq!(head(regex), plain, "{regex}");
        }
    }
}
