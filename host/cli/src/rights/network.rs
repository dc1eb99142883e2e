//! What the host reads to send a plugin's requests: single Secrets and ConfigMaps, by name if the
//! configuration names them.

use mizzen_config::Reconciler;
use mizzen_config::http::{KeyRef, Place};
use mizzen_model::Description;

use super::rules::Verb::{Get, Watch};
use super::rules::{Right, Why};
use super::set::{Rights, Where};

impl Rights {
    pub(super) fn network(&mut self, reconciler: &Reconciler, description: &Description) {
        let name = &*reconciler.name;
        if description.http.is_empty() && !reconciler.grants.network.hosts.is_empty() {
            return self.note(format!("`{name}` is granted hosts, but its plugin sends no requests: left out"));
        }
        for key in reconciler.grants.network.keys() {
            self.key(reconciler, key);
        }
    }

    fn key(&mut self, reconciler: &Reconciler, key: &KeyRef) {
        let (name, kind) = (&*reconciler.name, key.holder.kind());
        let plural = format!("{}s", kind.name.to_lowercase());
        let subjects = &reconciler.subject.namespaces;
        let fixed;
        let scope = match &key.namespace {
            Place::Fixed(namespace) => {
                fixed = [namespace.clone()];
                Where::In(&fixed)
            }
            Place::Subject => Where::of(subjects),
        };
        if key.name.fixed().is_none() {
            let place = match scope {
                Where::Everywhere => {
                    "the whole cluster: name the namespaces of its subjects in `spec.subject.namespaces`".to_owned()
                }
                Where::In(namespaces) => namespaces.join(", "),
            };
            self.note(format!(
                "the subjects of `{name}` choose the {kind} for its requests ({}): the host gets the right to read \
                 all of them in {place}",
                key.name.text()
            ));
        }
        let (verbs, why) = (&[Get, Watch][..], Why::Sent);
        let right = Right { group: "", resource: &plural, name: key.name.fixed(), verbs, why, reconciler: name };
        self.allow(scope, &right);
    }
}
