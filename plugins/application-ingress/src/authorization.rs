//! Authorization of paths, enforced at the ingress gateway.
//!
//! Verrazzano's policies ALLOW. If any ALLOW policy exists for a workload, Istio denies everything
//! that none of them allows, so one trait with a policy blocks every other host of the ingress
//! gateway, and each open path of its own rule needs a policy. Here a policy DENIES, only on its
//! hosts and its path, every request that it does not allow: nothing else is affected, and traits
//! are independent of each other.
//!
//! A request is allowed if it fits one permission (a principal, and each condition). It is denied
//! if it fits none: for each permission, either its principals or one of its conditions fails.
//! Istio expects that as a list of rules, so it is multiplied out.

use std::collections::BTreeSet;

use mizzen_oam_api::{authorization_policy, names};
use mizzen_sdk::object;
use serde_json::{Value, json};

use crate::config::Config;
use crate::ingress::{Matches, Owner, Permission, Rule};
use crate::together::Group;

/// The most rules of one policy. Each permission multiplies them, so that a dozen lines could
/// exhaust the gateway.
const MOST: usize = 128;

/// The policy has too many rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`spec.rules[{rule}].paths[{path}].authorizationPolicy`: it needs {ways} rules, and at most \
     {MOST} are allowed: write fewer conditions"
)]
pub(crate) struct TooMany {
    rule: usize,
    path: usize,
    ways: usize,
}

/// The policies of a rule: one for each of its paths that is not open. The groups are those of all
/// rules.
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

/// The requests for a path of these hosts that no other path of theirs, in any rule, covers.
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

/// A request may also name the port.
fn with_ports(hosts: &[&str]) -> Vec<String> {
    hosts.iter().flat_map(|host| [(*host).to_owned(), format!("{host}:*")]).collect()
}

/// A path in the syntax of Istio's policies. A regular expression can't be expressed, neither as a
/// path nor as an exception.
fn pattern(path: &Matches) -> String {
    match path {
        Matches::Exact(path) | Matches::Regex(path) => path.clone(),
        Matches::Prefix(path) => format!("{path}*"),
    }
}

/// Whether another path matches everything that a path matches.
fn lies_in(path: &Matches, wider: &Matches) -> bool {
    match (path, wider) {
        (Matches::Exact(path), Matches::Prefix(wider)) => path.starts_with(wider.as_str()),
        (Matches::Prefix(path), Matches::Prefix(wider)) => path != wider && path.starts_with(wider.as_str()),
        _ => false,
    }
}
