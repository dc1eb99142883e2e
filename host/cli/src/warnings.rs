//! What a plan warns about: where an API server would do something else than a cluster in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use mizzen_cluster::memory::{DocumentWarning, Memory};
use mizzen_k8s::Listed;

use crate::intents::{Intents, Name, Verb};

/// The namespaces that every cluster has.
const EVERYWHERE: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

/// Warnings of a rehearsal.
pub(crate) struct Warnings {
    of_documents: Vec<String>,
    namespaces: Namespaces,
}

/// The namespaces that are known.
enum Namespaces {
    /// Those that documents define, or have an object in: in the cluster that they come from, each of them exists.
    Documented(BTreeSet<String>),
    /// All of the cluster.
    All(BTreeSet<String>),
    /// They can't be read.
    Unknown,
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
        let namespaces = namespaces.chain(EVERYWHERE.iter().map(|name| (*name).to_owned())).collect();
        Self { of_documents, namespaces: Namespaces::Documented(namespaces) }
    }

    /// The warnings about a cluster that has these namespaces; `None`: they can't be read.
    pub(crate) fn of_cluster(warnings: Vec<String>, namespaces: Option<BTreeSet<String>>) -> Self {
        Self { of_documents: warnings, namespaces: namespaces.map_or(Namespaces::Unknown, Namespaces::All) }
    }

    /// Those, and the ones about what the reconcilers would create.
    pub(crate) fn with(self, intents: &Intents) -> Vec<String> {
        let created =
            || intents.changes.iter().filter(|intent| intent.verb == Verb::Create).map(|intent| &intent.object);
        let new: BTreeSet<_> = created().filter(|object| object.is_namespace()).map(Name::name).collect();
        let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for object in created() {
            let namespace = object.namespace().filter(|name| !self.namespaces.contain(name) && !new.contains(name));
            if let Some(namespace) = namespace {
                missing.entry(namespace).or_default().push(object.to_string());
            }
        }
        let taken = new.iter().filter(|name| self.namespaces.is_taken(name)).map(|name| {
            format!("Namespace {name} exists in every cluster, so this is a conflict; add its document, or adopt it")
        });
        let missing = missing.iter().map(|(name, objects)| self.namespaces.missing(name, &Listed::first(1, objects)));
        self.of_documents.iter().cloned().chain(taken).chain(missing).collect()
    }
}

// === impl Namespaces ===

impl Namespaces {
    fn contain(&self, name: &str) -> bool {
        match self {
            Self::Documented(names) | Self::All(names) => names.contains(name),
            Self::Unknown => true,
        }
    }

    /// Whether creating the namespace is a conflict which the rehearsal could not know.
    fn is_taken(&self, name: &str) -> bool {
        matches!(self, Self::Documented(_)) && EVERYWHERE.contains(&name)
    }

    fn missing(&self, name: &str, objects: &impl Display) -> String {
        match self {
            Self::Documented(_) => format!(
                "namespace `{name}` is not among the documents: unless it exists, an API server refuses {objects}; add \
                 the Namespace"
            ),
            Self::All(_) | Self::Unknown => format!(
                "namespace `{name}` does not exist: the API server refuses {objects}; create the Namespace first, or \
                 name its document with -f"
            ),
        }
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

    #[test]
    fn in_a_cluster_a_namespace_that_does_not_exist_is_named() {
        let warnings = Warnings::of_cluster(Vec::new(), Some(["a".to_owned()].into()));
        let changes = vec![create("ConfigMap", Some("a"), "x"), create("ConfigMap", Some("gone"), "x")];
        let found = warnings.with(&Intents { changes, ..Intents::default() });
        assert!(found.len() == 1 && found[0].starts_with("namespace `gone` does not exist"), "{found:#?}");
    }
}
