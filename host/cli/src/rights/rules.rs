//! RBAC rules under construction: one for each resource, with what it is needed for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

/// What may be done, in the order in which rules usually say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Patch,
    Delete,
    Bind,
    Escalate,
}

/// What a right is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// By the host itself, whatever it is configured to do.
    Host(&'static str),
    /// To be asked about them, to say in them how it went, and to hold them until they are cleaned up after.
    Subject,
    Read,
    Applied,
    Patched,
    Deleted,
    /// By the host, to send requests for a plugin that never sees them: credentials, proxies, certificate authorities.
    Sent,
}

/// Rules by API group, resource and, where it is about single objects, name.
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
    /// Adds verbs to the rule of a resource, and the reconciler that needs them (empty: none does, it is the host).
    pub(crate) fn allow(&mut self, group: &str, resource: &str, verbs: &[Verb], why: Why, reconciler: &str) {
        self.allow_named(group, resource, None, verbs, why, reconciler);
    }

    /// As [`allow`](Self::allow), for the objects of one name.
    pub(crate) fn allow_named(
        &mut self,
        group: &str,
        resource: &str,
        name: Option<&str>,
        verbs: &[Verb],
        why: Why,
        reconciler: &str,
    ) {
        let resource = Resource { group: group.to_owned(), plural: resource.to_owned(), name: name.map(str::to_owned) };
        let rule = self.0.entry(resource).or_default();
        rule.verbs.extend(verbs);
        rule.why.entry(why).or_default().insert(reconciler.to_owned());
    }

    /// The rules as a role holds them.
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

    /// The rules as YAML, each with a comment that says who needs it.
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

    /// The host's own come first.
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
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Bind => "bind",
            Self::Escalate => "escalate",
        }
    }
}
