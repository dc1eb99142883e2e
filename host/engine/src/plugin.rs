//! A node of the order: one configured reconciler with the plugin it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use mizzen_cluster::{Scope, View};
use mizzen_config::{Reconciler, Subject};
use mizzen_model::{Access, Fields, Invoke, Kind, Object, ObjectRef, Selector};

use crate::names;

/// Number of a node; stable while the host runs, never given to another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

/// Number of a subject; stable while the host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubjectId(pub(crate) u32);

/// The unit of work: one reconciler and one subject. Never runs twice at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) node: NodeId,
    pub(crate) subject: SubjectId,
}

/// One reconciler as it shall run: its configuration and the plugin's current revision.
#[derive(Clone)]
pub struct Plugin {
    /// The configuration.
    pub reconciler: Arc<Reconciler>,
    /// The component, compiled and checked against the configuration.
    pub invoke: Arc<dyn Invoke>,
}

/// Whom an object belongs to: what replaces it when it is deleted.
fn owners() -> Fields {
    Fields::parse(["metadata.ownerReferences"]).unwrap_or_else(|_| Fields::identity())
}

// === impl Plugin ===

impl Plugin {
    /// The reconciler's name.
    pub fn name(&self) -> &str {
        &self.reconciler.name
    }

    /// The field manager of everything it has written.
    pub fn field_manager(&self) -> String {
        names::field_manager(&self.reconciler.name)
    }

    /// The field manager of what is patched for a subject, where that has no [owner label](mizzen_cluster::OWNER_LABEL) to tell subjects
    /// apart: two that patch one object leave each other their fields, and two that want different values of a field conflict.
    pub fn patch_manager(&self, subject: &ObjectRef) -> String {
        names::patch_manager(self.name(), subject)
    }

    /// Which objects it is asked about.
    pub fn subject(&self) -> Subject {
        self.reconciler.subject.clone().unwrap_or_else(|| Subject {
            kind: self.invoke.description().subject.clone(),
            labels: Selector::everything(),
            namespaces: Vec::new(),
        })
    }

    /// Whether an object is one of its subjects.
    pub fn is_subject(&self, object: &Object) -> bool {
        let subject = self.subject();
        let here =
            || object.reference.namespace.as_deref().is_some_and(|own| subject.namespaces.iter().any(|n| n == own));
        subject.kind == object.reference.kind
            && subject.labels.matches(&object.labels)
            && (subject.namespaces.is_empty() || here())
    }

    /// Everything the host must watch for it, each kind once.
    pub fn views(&self) -> Vec<View> {
        let description = self.invoke.description();
        let mut fields: BTreeMap<Kind, Fields> = BTreeMap::from([(self.subject().kind, Fields::Whole)]);
        for kind in description.kinds(Access::Read) {
            let visible = description.visible(kind);
            fields.entry(kind.clone()).and_modify(|own| *own = own.union(&visible)).or_insert(visible);
        }
        // Whether a patch is still to be done can only be told from the whole object: its fields are the plugin's to choose.
        fields.extend(description.kinds(Access::Patch).map(|kind| (kind.clone(), Fields::Whole)));
        for kind in description.kinds(Access::Delete) {
            fields.entry(kind.clone()).and_modify(|own| *own = own.union(&owners())).or_insert_with(owners);
        }
        let read = fields.into_iter().map(|(kind, fields)| View { kind, scope: Scope::All, fields });
        let owned = description.kinds(Access::Apply).map(|kind| View {
            kind: kind.clone(),
            scope: Scope::Owned,
            fields: Fields::Whole,
        });
        read.chain(owned).collect()
    }

    /// Whether two revisions answer alike: same component, same configuration, same grants and limits.
    pub fn same_answers(&self, other: &Self) -> bool {
        let (a, b) = (&*self.reconciler, &*other.reconciler);
        self.invoke.digest() == other.invoke.digest()
            && (&a.config, &a.grants, a.limits, a.mode, &a.subject)
                == (&b.config, &b.grants, b.limits, b.mode, &b.subject)
    }
}
