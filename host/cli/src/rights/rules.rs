//! RBAC rules: one for each resource, with its reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

/// Verbs, in the order in which rules usually list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    Bind,
    Escalate,
}

/// Why a right is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// For the host itself, whatever its configuration.
    Host(&'static str),
    /// To watch subjects, write their status, and manage finalizers.
    Subject,
    Read,
    Applied,
    Patched,
    Deleted,
    /// For the host to send a plugin's requests with: credentials, proxies, certificate
    /// authorities.
    Sent,
}

/// A right to be added to rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Right<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    /// The name of a single object; `None`: all objects of the resource.
    pub(crate) name: Option<&'a str>,
    pub(crate) verbs: &'a [Verb],
    pub(crate) why: Why,
    /// The reconciler that needs it; empty: the host itself.
    pub(crate) reconciler: &'a str,
}

/// Rules by API group, resource and, for single objects, name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(BTreeMap<Resource, Rule>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Resource {
    group: String,
    plural: String,
    name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    verbs: BTreeSet<Verb>,
    why: BTreeMap<Why, BTreeSet<String>>,
}

// === impl Rules ===

impl Rules {
    /// Adds a right.
    pub(crate) fn allow(&mut self, right: &Right<'_>) {
        let Right { group, resource, name, verbs, why, reconciler } = *right;
        let resource = Resource { group: group.to_owned(), plural: resource.to_owned(), name: name.map(str::to_owned) };
        let rule = self.0.entry(resource).or_default();
        rule.verbs.extend(verbs);
        rule.why.entry(why).or_default().insert(reconciler.to_owned());
    }

    /// The rules of a role.
    pub(crate) fn value(&self) -> Value {
        let rule = |(resource, rule): (&Resource, &Rule)| {
            let mut value =
                json!({"apiGroups": [resource.group], "resources": [resource.plural], "verbs": rule.verbs()});
            if let Some(name) = &resource.name {
                value["resourceNames"] = json!([name]);
            }
            value
        };
        self.ordered().map(rule).collect()
    }

    /// The rules as YAML, each with a comment that says why.
    pub(crate) fn yaml(&self) -> String {
        let mut text = String::new();
        for (Resource { group, plural, name }, rule) in self.ordered() {
            // Writing to a String can't fail.
            let _ = writeln!(text, "  # {}", rule.reason());
            let _ = writeln!(text, "  - apiGroups: {}\n    resources: {}", json!([group]), json!([plural]));
            if let Some(name) = name {
                let _ = writeln!(text, "    resourceNames: {}", json!([name]));
            }
            let _ = writeln!(text, "    verbs: [{}]", rule.verbs().join(", "));
        }
        text
    }

    /// The rules in order: those for the host itself come first.
    fn ordered(&self) -> impl Iterator<Item = (&Resource, &Rule)> {
        let of_host = |rule: &Rule| rule.why.keys().any(|why| matches!(why, Why::Host(_)));
        self.0
            .iter()
            .filter(move |(_, rule)| of_host(rule))
            .chain(self.0.iter().filter(move |(_, rule)| !of_host(rule)))
    }
}

impl Rule {
    fn verbs(&self) -> Vec<&'static str> {
        self.verbs.iter().map(|verb| verb.name()).collect()
    }

    fn reason(&self) -> String {
        let reason = |(why, reconcilers): (&Why, &BTreeSet<String>)| {
            let reconcilers = reconcilers.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            match why {
                Why::Host(what) => format!("the host: {what}"),
                Why::Subject => format!("subject of {reconcilers}"),
                Why::Read => format!("read by {reconcilers}"),
                Why::Applied => format!("applied by {reconcilers}"),
                Why::Patched => format!("patched by {reconcilers}"),
                Why::Deleted => format!("deleted by {reconcilers}"),
                Why::Sent => format!("used by the host for the requests of {reconcilers}, which never sees it"),
            }
        };
        self.why.iter().map(reason).collect::<Vec<_>>().join("; ")
    }
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Bind => "bind",
            Self::Escalate => "escalate",
        }
    }
}
