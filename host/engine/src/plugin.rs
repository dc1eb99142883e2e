//! A configured reconciler with its plugin, and the numbers of reconcilers and subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use mizzen_cluster::{Scope, View};
use mizzen_config::{Reconciler, Subject};
use mizzen_model::{Access, Fields, Invoke, Kind, Object, ObjectRef};

use crate::names;

/// The number of a reconciler: stable while the host runs, and never reused for another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(pub(crate) u32);

/// The number of a subject: stable while the host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubjectId(pub(crate) u32);

/// The unit of work: one reconciler and one subject. Never runs twice at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) node: NodeId,
    pub(crate) subject: SubjectId,
}

/// A reconciler's configuration and the current revision of its plugin.
#[derive(Clone)]
pub struct Plugin {
    /// The configuration.
    pub reconciler: Arc<Reconciler>,
    /// The component, compiled and checked against the configuration.
    pub invoke: Arc<dyn Invoke>,
}

/// The fields that name the controller of an object, which replaces it when it is deleted.
fn owner_fields() -> Fields {
    Fields::parse(["metadata.ownerReferences"]).unwrap_or_else(|_| Fields::identity())
}

// === impl Plugin ===

impl Plugin {
    /// The reconciler's name.
    pub fn name(&self) -> &str {
        &self.reconciler.name
    }

    /// The field manager of everything that it applies, and the type of its condition.
    pub fn field_manager(&self) -> String {
        names::field_manager(&self.reconciler.name)
    }

    /// The field manager of its patches for one subject.
    ///
    /// A patched object has no [owner label](mizzen_cluster::OWNER_LABEL) that tells subjects apart. With managers of
    /// their own, two subjects that patch one object keep their fields, and different values of a field are a conflict.
    pub fn patch_manager(&self, subject: &ObjectRef) -> String {
        names::patch_manager(self.name(), subject)
    }

    /// The selection of its subjects.
    pub fn subject(&self) -> &Subject {
        &self.reconciler.subject
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

    /// The views that it needs: one of each kind that it reads, patches or deletes, and one of each that it applies.
    pub fn views(&self) -> Vec<View> {
        let description = self.invoke.description();
        let mut fields: BTreeMap<Kind, Fields> = BTreeMap::from([(self.subject().kind.clone(), Fields::Whole)]);
        for kind in description.kinds(Access::Read) {
            let visible = description.visible(kind);
            fields.entry(kind.clone()).and_modify(|own| *own = own.union(&visible)).or_insert(visible);
        }
        // A plugin may patch any field, and the host compares them with the live object.
        fields.extend(description.kinds(Access::Patch).map(|kind| (kind.clone(), Fields::Whole)));
        for kind in description.kinds(Access::Delete) {
            fields.entry(kind.clone()).and_modify(|own| *own = own.union(&owner_fields())).or_insert_with(owner_fields);
        }
        let read = fields.into_iter().map(|(kind, fields)| View { kind, scope: Scope::All, fields });
        let owned = description.kinds(Access::Apply).map(|kind| View {
            kind: kind.clone(),
            scope: Scope::Owned,
            fields: Fields::Whole,
        });
        read.chain(owned).collect()
    }

    /// Whether two revisions return the same outcomes: same component, configuration, grants and limits.
    pub fn same_outcomes(&self, other: &Self) -> bool {
        let (a, b) = (&*self.reconciler, &*other.reconciler);
        self.invoke.digest() == other.invoke.digest()
            && (&a.config, &a.grants, a.limits, a.mode, &a.subject)
                == (&b.config, &b.grants, b.limits, b.mode, &b.subject)
    }
}
