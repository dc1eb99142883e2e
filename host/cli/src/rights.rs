//! The least rights with which the host can run a configuration: what it does by itself, and what each reconciler has it do.
//!
//! The host watches a kind everywhere, once, for all who read it: so reading is a right in the whole cluster, also where a grant names
//! namespaces. Writing is a right in those namespaces alone.

mod network;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mizzen_cluster::Cluster;
use mizzen_cluster::memory::Memory;
use mizzen_config::{Grant, Mode, Reconciler};
use mizzen_live::likely_plural;
use mizzen_model::{Access, Description, Kind, Selector};

use rules::Verb::{Bind, Create, Delete, Escalate, Get, List, Patch, Watch};
use rules::Why;
pub(crate) use rules::{Rules, Verb};

const RBAC: &str = "rbac.authorization.k8s.io";

/// What must be allowed, and where.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    /// Everywhere.
    pub(crate) cluster: Rules,
    /// In single namespaces.
    pub(crate) namespaces: BTreeMap<String, Rules>,
    /// What whoever grants these should know, a sentence each.
    pub(crate) notes: BTreeSet<String>,
}

/// What is known of a kind. `None`: it is neither built in nor defined by what was given.
struct Known {
    plural: String,
    namespaced: Option<bool>,
    status: Option<bool>,
}

/// Where a right is needed.
#[derive(Clone, Copy)]
enum Where<'a> {
    Everywhere,
    In(&'a [String]),
}

// === impl Rights ===

impl Rights {
    /// What the host needs by itself: its configuration, what is served, Events.
    pub(crate) fn of_host() -> Self {
        let mut rights = Self::default();
        let mut allow = |group, resource, verbs: &[Verb], what| {
            rights.cluster.allow(group, resource, verbs, Why::Host(what), "");
        };
        allow("mizzen.dev", "reconcilers", &[List, Watch], "its configuration");
        allow("mizzen.dev", "reconcilers/status", &[Patch], "how each reconciler stands");
        allow("mizzen.dev", "renderers", &[List, Watch], "its configuration");
        allow("mizzen.dev", "renderers/status", &[Patch], "how each renderer stands");
        let served = "whether a kind is served, and how its conditions merge";
        allow("apiextensions.k8s.io", "customresourcedefinitions", &[Get, List, Watch], served);
        allow("events.k8s.io", "events", &[Create, Patch], "Events, and the count of those that repeat");
        rights
    }

    /// Adds what one reconciler needs: its subjects, and what its plugin declares of what it is granted. `definitions` knows the
    /// built-in kinds, and those of the definitions that were given.
    pub(crate) async fn add(&mut self, reconciler: &Reconciler, description: &Description, definitions: &Memory) {
        let name = &*reconciler.name;
        if reconciler.mode == Mode::Plan {
            self.note(format!("`{name}` is in mode Plan and writes nothing: no right to write is in here for it"));
        }
        self.subjects(reconciler, description, definitions).await;
        self.network(reconciler, description);
        for access in [Access::Read, Access::Apply, Access::Patch, Access::Delete] {
            for grant in reconciler.grants.of(access) {
                if description.declares(access, &grant.kind) {
                    self.grant(reconciler, access, grant, definitions).await;
                } else {
                    self.note(format!(
                        "`{name}` is granted to {access} {}, which its plugin never does: left out",
                        grant.kind
                    ));
                }
            }
        }
    }

    async fn subjects(&mut self, reconciler: &Reconciler, description: &Description, definitions: &Memory) {
        let subject = reconciler.subject.clone().unwrap_or_else(|| mizzen_config::Subject {
            kind: description.subject.clone(),
            labels: Selector::everything(),
            namespaces: Vec::new(),
        });
        let (group, known) = (subject.kind.group(), self.know(&subject.kind, definitions).await);
        let scope = Where::of(&subject.namespaces);
        let mut allow = |scope, resource: &str, verbs: &[Verb]| {
            self.allow(scope, group, resource, verbs, Why::Subject, &reconciler.name);
        };
        allow(Where::Everywhere, &known.plural, &[List, Watch]);
        if reconciler.mode == Mode::Plan {
            return;
        }
        if known.status != Some(false) {
            allow(scope, &format!("{}/status", known.plural), &[Patch]);
        }
        // Where it is no subresource, a status is written with the object; a built-in kind has none then.
        let status_within = known.status != Some(true) && !subject.kind.is_built_in();
        let applies = description.kinds(Access::Apply).next().is_some();
        let held = description.finalizes || (applies && known.namespaced != Some(false));
        if status_within || held {
            allow(scope, &known.plural, &[Patch]);
        }
        if held {
            allow(scope, &known.plural, &[Get]);
        }
    }

    async fn grant(&mut self, reconciler: &Reconciler, access: Access, grant: &Grant, definitions: &Memory) {
        let Grant { kind, namespaces, .. } = grant;
        let (name, known) = (&*reconciler.name, self.know(kind, definitions).await);
        let (why, verbs): (_, &[Verb]) = match access {
            Access::Read => (Why::Read, &[]),
            Access::Apply => (Why::Applied, &[Create, Patch, Delete]),
            Access::Patch => (Why::Patched, &[Patch]),
            Access::Delete => (Why::Deleted, &[Delete]),
        };
        self.allow(Where::Everywhere, kind.group(), &known.plural, &[List, Watch], why, name);
        if !namespaces.is_empty() {
            self.note(format!(
                "{kind} is watched in the whole cluster, though `{name}` may only {access} it in {}",
                namespaces.join(", ")
            ));
        }
        if verbs.is_empty() || reconciler.mode == Mode::Plan {
            return;
        }
        if known.namespaced == Some(false) && !namespaces.is_empty() {
            return self.note(format!(
                "{kind} lives in no namespace, so granting `{name}` to {access} it in some grants nothing"
            ));
        }
        let scope = Where::of(namespaces);
        self.allow(scope, kind.group(), &known.plural, verbs, why, name);
        if kind.group() == RBAC && access != Access::Delete {
            self.delegate(scope, &kind.name, why, name);
        }
    }

    /// The API server lets nobody give rights that he does not have, unless he may do just that.
    fn delegate(&mut self, scope: Where<'_>, kind: &str, why: Why, name: &str) {
        let (verb, resources): (_, &[&str]) = match kind {
            "Role" => (Escalate, &["roles"]),
            "ClusterRole" => (Escalate, &["clusterroles"]),
            "RoleBinding" => (Bind, &["clusterroles", "roles"]),
            "ClusterRoleBinding" => (Bind, &["clusterroles"]),
            _ => return,
        };
        for resource in resources {
            self.allow(scope, RBAC, resource, &[verb], why, name);
        }
        let what = if verb == Escalate {
            "`escalate`, without which it could only write rights that it has itself"
        } else {
            "`bind`, without which it could only bind roles whose rights it has itself"
        };
        self.note(format!(
            "`{name}` writes {kind}s: the host gets {what}. With it, who controls this plugin or its configuration can become whoever he \
             likes; grant it in single namespaces if you can"
        ));
    }

    async fn know(&mut self, kind: &Kind, definitions: &Memory) -> Known {
        if let Ok(facts) = definitions.facts(kind).await {
            return Known {
                plural: facts.plural,
                namespaced: Some(facts.namespaced),
                status: Some(facts.status_subresource),
            };
        }
        let plural = likely_plural(kind);
        self.note(format!(
            "that {kind} is called `{plural}` is a guess: give its definition with -f, or compare with `kubectl api-resources`"
        ));
        Known { plural, namespaced: None, status: None }
    }

    fn allow(&mut self, scope: Where<'_>, group: &str, resource: &str, verbs: &[Verb], why: Why, reconciler: &str) {
        match scope {
            Where::Everywhere => self.cluster.allow(group, resource, verbs, why, reconciler),
            Where::In(namespaces) => {
                for namespace in namespaces {
                    let rules = self.namespaces.entry(namespace.clone()).or_default();
                    rules.allow(group, resource, verbs, why, reconciler);
                }
            }
        }
    }

    fn note(&mut self, sentence: String) {
        self.notes.insert(sentence);
    }
}

impl<'a> Where<'a> {
    fn of(namespaces: &'a [String]) -> Self {
        if namespaces.is_empty() { Self::Everywhere } else { Self::In(namespaces) }
    }
}
