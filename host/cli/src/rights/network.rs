//! What the host reads to send a plugin's requests: single Secrets and ConfigMaps, by name wherever the configuration names them.

use mizzen_config::Reconciler;
use mizzen_config::http::{KeyRef, Place};
use mizzen_model::Description;

use super::rules::Verb::{Get, Watch};
use super::rules::Why;
use super::{Rights, Where};

impl Rights {
    pub(super) fn network(&mut self, reconciler: &Reconciler, description: &Description) {
        let name = &*reconciler.name;
        if description.http.is_empty() && !reconciler.grants.network.hosts.is_empty() {
            return self.note(format!("`{name}` is granted hosts, and its plugin sends no requests: left out"));
        }
        for key in reconciler.grants.network.keys() {
            self.key(reconciler, key);
        }
    }

    fn key(&mut self, reconciler: &Reconciler, key: &KeyRef) {
        let (name, kind) = (&*reconciler.name, key.holder.kind());
        let plural = format!("{}s", kind.name.to_lowercase());
        let subjects = reconciler.subject.as_ref().map_or(&[][..], |subject| &subject.namespaces);
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
                "which {kind} `{name}`'s requests are sent with, its subjects say ({}): the host gets the right to read all of them in {place}",
                key.name.text()
            ));
        }
        let allow = |rules: &mut super::Rules| {
            rules.allow_named("", &plural, key.name.fixed(), &[Get, Watch], Why::Sent, name);
        };
        match scope {
            Where::Everywhere => allow(&mut self.cluster),
            Where::In(namespaces) => {
                for namespace in namespaces {
                    allow(self.namespaces.entry(namespace.clone()).or_default());
                }
            }
        }
    }
}
