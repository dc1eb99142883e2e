//! What a plan warns about: where an API server would do something else than a cluster in memory.

use std::collections::{BTreeMap, BTreeSet};

use mizzen_cluster::memory::{DocumentWarning, Memory};
use mizzen_k8s::Listed;

use crate::intents::{Intents, Name, Verb};

/// The namespaces that every cluster has.
const EVERYWHERE: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Warnings of a rehearsal.
pub(crate) struct Warnings {
    of_documents: Vec<String>,
    /// The namespaces that documents define, or have an object in: in the cluster that they come
    /// from, each of them exists.
    namespaces: BTreeSet<String>,
}

// === impl Warnings ===

impl Warnings {
    /// The warnings about documents. `memory` has their objects, and no reconciler has run on it.
    pub(crate) fn new(of_documents: &[DocumentWarning], memory: &Memory) -> Self {
        let objects = memory.objects();
        let namespaces = objects.iter().filter_map(|(object, _)| match &object.namespace {
            None if *object.kind.name == *"Namespace" => Some(object.name.to_string()),
            namespace => namespace.as_deref().map(str::to_owned),
        });
        let of_documents = of_documents.iter().map(ToString::to_string).collect();
        Self { of_documents, namespaces: namespaces.chain(EVERYWHERE.iter().map(|name| (*name).to_owned())).collect() }
    }

    /// Those, and the ones about what the reconcilers would create.
    pub(crate) fn with(self, intents: &Intents) -> Vec<String> {
        let created =
            || intents.changes.iter().filter(|intent| intent.verb == Verb::Create).map(|intent| &intent.object);
        let new: BTreeSet<_> = created().filter(|object| object.is_namespace()).map(Name::name).collect();
        let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for object in created() {
            let namespace = object.namespace().filter(|name| !self.namespaces.contains(*name) && !new.contains(name));
            if let Some(namespace) = namespace {
                missing.entry(namespace).or_default().push(object.to_string());
            }
        }
        let built_in = new.iter().filter(|name| EVERYWHERE.contains(name)).map(|name| {
            format!("Namespace {name} exists in every cluster, so this is a conflict; add its document, or adopt it")
        });
        let missing = missing.iter().map(|(namespace, objects)| {
            let objects = Listed::first(1, objects);
            format!(
                "namespace `{namespace}` is not among the documents: unless it exists, an API server refuses \
                 {objects}; add the Namespace"
            )
        });
        self.of_documents.iter().cloned().chain(built_in).chain(missing).collect()
    }
}

#[cfg(test)]
mod tests {
    use mizzen_model::{Kind, ObjectRef};

    use super::*;
    use crate::intents::Intent;

    fn create(kind: &str, namespace: Option<&str>, name: &str) -> Intent {
        let object = Name::from(&ObjectRef::new(Kind::new("v1", kind), namespace, name));
        Intent {
            reconciler: "teams".into(),
            subject: object.clone(),
            verb: Verb::Create,
            object,
            before: None,
            after: None,
        }
    }

    fn warnings(changes: Vec<Intent>) -> Vec<String> {
        let memory = Memory::from_yaml(
            "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n\
             {apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: b}}",
        );
        Warnings::new(&[], &memory.unwrap()).with(&Intents { changes, ..Intents::default() })
    }

    #[test]
    fn a_namespace_that_exists_in_no_document_is_named_once() {
        let found = warnings(vec![
            create("ConfigMap", Some("gone"), "x"),
            create("Secret", Some("gone"), "y"),
            create("ConfigMap", Some("a"), "x"),
            create("ConfigMap", Some("b"), "y"),
            create("ConfigMap", Some("default"), "x"),
            create("Namespace", None, "new"),
            create("ConfigMap", Some("new"), "x"),
        ]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("namespace `gone` is not among the documents"), "{found:#?}");
        assert!(found[0].contains("refuses ConfigMap gone/x and 1 more"), "{found:#?}");
    }

    #[test]
    fn a_namespace_that_every_cluster_has_is_not_simply_created() {
        let found = warnings(vec![create("Namespace", None, "kube-system")]);
        assert!(found.len() == 1 && found[0].contains("Namespace kube-system exists in every cluster"), "{found:#?}");
    }
}
