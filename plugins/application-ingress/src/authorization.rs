//! Who may use which path, enforced at the ingress gateway.
//!
//! Verrazzano's policies ALLOW. At a workload for which any ALLOW policy exists Istio denies whatever none of them allows, so one trait with a
//! policy shuts every other host of the ingress gateway, and each path of its own rule needs a policy for being open. Here a policy
//! DENIES, on its hosts and its path alone, whoever it does not let in: nothing else is touched, and no trait needs to know of others.
//!
//! Let in is who fits one permission (a principal, and each condition). Denied is who fits none: for each permission, either its
//! principals or one of its conditions fails. Istio wants that as a list of rules, so it is multiplied out.

use std::collections::BTreeSet;

use mizzen_oam_api::{authorization_policy, names};
use mizzen_sdk::object;
use serde_json::{Value, json};

use crate::config::Config;
use crate::ingress::{Matches, Owner, Permission, Rule};
use crate::together::Group;

/// Rules of one policy. Each permission multiplies them, so that a dozen lines could ask for millions and exhaust the gateway.
const MOST: usize = 128;

/// More ways to be denied than are sensible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`spec.rules[{rule}].paths[{path}].authorizationPolicy`: its rules come to {ways} cases, and {MOST} are the most: write fewer conditions"
)]
pub(crate) struct TooMany {
    rule: usize,
    path: usize,
    ways: usize,
}

/// The policies of a rule: one for each of its paths that is not open to everybody. The groups are those of all rules.
pub(crate) fn policies(
    config: &Config,
    owner: Owner<'_>,
    ingress: &str,
    at: usize,
    rule: &Rule,
    groups: &[Group<'_>],
) -> Result<Vec<Value>, TooMany> {
    let mut policies = Vec::new();
    for (own, path) in rule.paths.iter().enumerate() {
        let Some(permissions) = &path.policy else { continue };
        let ways = permissions.iter().fold(1_usize, |ways, one| ways.saturating_mul(1 + one.conditions.len()));
        if ways > MOST {
            return Err(TooMany { rule: at, path: own, ways });
        }
        let own_groups = groups.iter().filter(|group| group.is_in(at));
        let operations: Vec<_> =
            own_groups.map(|group| json!({"operation": operation(group, &path.matches)})).collect();
        let rules: Vec<_> = denials(permissions)
            .into_iter()
            .map(|mut rule| {
                rule["to"] = json!(operations);
                rule
            })
            .collect();
        let spec = json!({
            "selector": {"matchLabels": config.gateway_selector},
            "action": "DENY",
            "rules": rules,
        });
        let name = names::authorization(owner.namespace, ingress, at, &pattern(&path.matches));
        policies.push(object(&authorization_policy(), Some(&config.gateway_namespace), &name, json!({"spec": spec})));
    }
    Ok(policies)
}

/// The ways to fit none of the permissions.
fn denials(permissions: &[Permission]) -> Vec<Value> {
    let mut ways: Vec<(Vec<&str>, Vec<Value>)> = vec![(Vec::new(), Vec::new())];
    for permission in permissions {
        let mut longer = Vec::new();
        for (principals, conditions) in ways {
            let with = principals.iter().copied().chain(permission.principals.iter().map(String::as_str)).collect();
            longer.push((with, conditions.clone()));
            for (key, values) in &permission.conditions {
                let mut with = conditions.clone();
                with.push(json!({"key": key, "notValues": values}));
                longer.push((principals.clone(), with));
            }
        }
        ways = longer;
    }
    let rule = |(mut principals, conditions): (Vec<&str>, Vec<Value>)| {
        principals.sort_unstable();
        principals.dedup();
        let mut rule = json!({});
        if !principals.is_empty() {
            rule["from"] = json!([{"source": {"notRequestPrincipals": principals}}]);
        }
        if !conditions.is_empty() {
            rule["when"] = json!(conditions);
        }
        rule
    };
    ways.into_iter().map(rule).collect()
}

/// The requests for a path of these hosts that no other path of theirs, in whichever rule, speaks of for itself.
fn operation(group: &Group<'_>, path: &Matches) -> Value {
    let mut operation = json!({"hosts": with_ports(&group.hosts), "paths": [pattern(path)]});
    let mut inner: Vec<_> = group.places.iter().map(|place| &place.path.matches).collect();
    let mut seen = BTreeSet::new();
    inner.retain(|other| lies_in(other, path) && seen.insert(*other));
    if !inner.is_empty() {
        operation["notPaths"] = inner.into_iter().map(pattern).collect();
    }
    operation
}

/// A request may name the port, too.
fn with_ports(hosts: &[&str]) -> Vec<String> {
    hosts.iter().flat_map(|host| [(*host).to_owned(), format!("{host}:*")]).collect()
}

/// A path as Istio's policies compare it. A regular expression has no policy of its own, and none can leave it out.
fn pattern(path: &Matches) -> String {
    match path {
        Matches::Exact(path) | Matches::Regex(path) => path.clone(),
        Matches::Prefix(path) => format!("{path}*"),
    }
}

/// Whether all that a path matches is matched by another, wider one.
fn lies_in(path: &Matches, wider: &Matches) -> bool {
    match (path, wider) {
        (Matches::Exact(path), Matches::Prefix(wider)) => path.starts_with(wider.as_str()),
        (Matches::Prefix(path), Matches::Prefix(wider)) => path != wider && path.starts_with(wider.as_str()),
        _ => false,
    }
}
