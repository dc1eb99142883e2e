//! What a reconciler needs for its subjects and grants.

use mizzen_cluster::Cluster;
use mizzen_cluster::memory::Memory;
use mizzen_config::{Grant, Mode, Reconciler};
use mizzen_live::likely_plural;
use mizzen_model::{Access, Description, Kind};

use super::rules::Verb::{Bind, Create, Delete, Escalate, Get, List, Patch, Watch};
use super::rules::{Right, Verb, Why};
use super::set::{Rights, Where};

const RBAC: &str = "rbac.authorization.k8s.io";

/// What is known about a kind. `None`: it is neither built in nor defined by a given CRD.
struct Known {
    plural: String,
    namespaced: Option<bool>,
    status: Option<bool>,
}

// === impl Rights ===

impl Rights {
    /// Adds what a reconciler needs: for its subjects, and for the grants that its plugin declares
    /// to use. `definitions` knows the built-in kinds, and those of the given CRDs.
    pub(crate) async fn add(&mut self, reconciler: &Reconciler, description: &Description, definitions: &Memory) {
        let name = &*reconciler.name;
        if reconciler.mode == Mode::Plan {
            self.note(format!("`{name}` is in mode Plan and writes nothing: it gets no right to write"));
        }
        self.subjects(reconciler, description, definitions).await;
        self.network(reconciler, description);
        for access in [Access::Read, Access::Apply, Access::Patch, Access::Delete] {
            for grant in reconciler.grants.of(access) {
                if description.declares(access, &grant.kind) {
                    self.grant(reconciler, access, grant, definitions).await;
                } else {
                    self.note(format!(
                        "`{name}` is granted to {access} {}, which its plugin does not declare: left out",
                        grant.kind
                    ));
                }
            }
        }
    }

    async fn subjects(&mut self, reconciler: &Reconciler, description: &Description, definitions: &Memory) {
        let subject = &reconciler.subject;
        let (group, known) = (subject.kind.group(), self.know(&subject.kind, definitions).await);
        let scope = Where::of(&subject.namespaces);
        let mut allow = |scope, resource: &str, verbs: &[Verb]| {
            let (why, reconciler) = (Why::Subject, &*reconciler.name);
            self.allow(scope, &Right { group, resource, name: None, verbs, why, reconciler });
        };
        allow(Where::Everywhere, &known.plural, &[List, Watch]);
        if reconciler.mode == Mode::Plan {
            return;
        }
        if known.status != Some(false) && reconciler.may_write_status() {
            allow(scope, &format!("{}/status", known.plural), &[Patch]);
        }
        // Without the subresource, a status is written with the object. A built-in kind without it
        // has no status.
        let status_within = known.status != Some(true) && !subject.kind.is_built_in() && reconciler.may_write_status();
        let applies = description.kinds(Access::Apply).next().is_some();
        let adopts = reconciler.grants.apply.iter().any(|grant| grant.adopt);
        let needs_finalizer = reconciler.may_add_finalizer()
            && (description.finalizes || adopts || (applies && known.namespaced != Some(false)));
        if status_within || needs_finalizer {
            allow(scope, &known.plural, &[Patch]);
        }
        if needs_finalizer {
            allow(scope, &known.plural, &[Get]);
        }
    }

    async fn grant(&mut self, reconciler: &Reconciler, access: Access, grant: &Grant, definitions: &Memory) {
        let Grant { kind, namespaces, .. } = grant;
        let (name, known) = (&*reconciler.name, self.know(kind, definitions).await);
        let (why, verbs): (_, &[Verb]) = match access {
            Access::Read => (Why::Read, &[]),
            Access::Apply => (Why::Applied, &[Get, Create, Patch, Delete]),
            Access::Patch => (Why::Patched, &[Patch]),
            Access::Delete => (Why::Deleted, &[Delete]),
        };
        let right =
            |verbs| Right { group: kind.group(), resource: &known.plural, name: None, verbs, why, reconciler: name };
        self.allow(Where::Everywhere, &right(&[List, Watch]));
        if !namespaces.is_empty() {
            self.note(format!(
                "{kind} is watched in the whole cluster, although `{name}` may only {access} it in {}",
                namespaces.join(", ")
            ));
        }
        if reconciler.mode == Mode::Plan {
            // A plan, too, looks up whether an object exists.
            if access == Access::Apply {
                self.allow(Where::of(namespaces), &right(&[Get]));
            }
            return;
        }
        if verbs.is_empty() {
            return;
        }
        if known.namespaced == Some(false) && !namespaces.is_empty() {
            return self.note(format!(
                "{kind} is cluster-scoped: the grant of `{name}` to {access} it in namespaces grants nothing"
            ));
        }
        let scope = Where::of(namespaces);
        self.allow(scope, &right(verbs));
        if kind.group() == RBAC && access != Access::Delete {
            self.delegate(scope, &kind.name, why, name);
        }
    }

    /// Writing roles and bindings takes the verb `escalate` or `bind`: without it, the API server
    /// only lets a client pass on rights that it has itself.
    fn delegate(&mut self, scope: Where<'_>, kind: &str, why: Why, name: &str) {
        let (verb, resources): (_, &[&str]) = match kind {
            "Role" => (Escalate, &["roles"]),
            "ClusterRole" => (Escalate, &["clusterroles"]),
            "RoleBinding" => (Bind, &["clusterroles", "roles"]),
            "ClusterRoleBinding" => (Bind, &["clusterroles"]),
            _ => return,
        };
        for resource in resources {
            let (group, verbs) = (RBAC, &[verb][..]);
            self.allow(scope, &Right { group, resource, name: None, verbs, why, reconciler: name });
        }
        let what = if verb == Escalate {
            "`escalate`, without which it could only write rights that it has itself"
        } else {
            "`bind`, without which it could only bind roles whose rights it has itself"
        };
        self.note(format!(
            "`{name}` writes {kind}s: the host gets {what}. An attacker who controls this plugin or its \
             configuration can gain any right with it; grant it in single namespaces if possible"
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
            "the resource name of {kind}, `{plural}`, is a guess: add its CRD with -f, or compare with \
             `kubectl api-resources`"
        ));
        Known { plural, namespaced: None, status: None }
    }
}
