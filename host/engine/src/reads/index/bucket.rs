//! The keys by which a changed object finds the reads that it may affect, unless they select by values.

use std::collections::HashSet;
use std::sync::Arc;

use mizzen_model::{Kind, ObjectRef};

use super::read::{Read, Seen};

/// The place of a read in the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bucket {
    Object(ObjectRef),
    Label { kind: Kind, namespace: Option<Arc<str>>, key: Arc<str>, value: Arc<str> },
    Kind { kind: Kind, namespace: Option<Arc<str>> },
    Serves(Kind),
    Renderers,
    Render(Arc<str>),
    Watched(ObjectRef),
}

// === impl Bucket ===

impl Bucket {
    /// The bucket of a read; `None`: it selects by values.
    pub(super) fn of(read: &Read) -> Option<Self> {
        Some(match read {
            Read::Get { object, .. } => Self::Object(object.clone()),
            Read::Serves(kind) => Self::Serves(kind.clone()),
            Read::Renderers(_) => Self::Renderers,
            Read::Render(name) => Self::Render(Arc::clone(name)),
            Read::Watched(watched) => Self::Watched(watched.0.object().clone()),
            Read::List { values: Some(_), .. } => return None,
            Read::List { kind, namespace, labels, .. } => match labels.equality() {
                Some((key, value)) => Self::Label {
                    kind: kind.clone(),
                    namespace: namespace.clone(),
                    key: Arc::clone(key),
                    value: Arc::clone(value),
                },
                None => Self::Kind { kind: kind.clone(), namespace: namespace.clone() },
            },
        })
    }

    /// The buckets of all reads that a change may affect.
    pub(super) fn candidates(seen: &Seen<'_>) -> HashSet<Self> {
        let mut buckets = HashSet::new();
        for object in seen.sides().map(|side| side.object) {
            let ObjectRef { kind, namespace, .. } = &object.reference;
            buckets.insert(Self::Object(object.reference.clone()));
            for namespace in [None, namespace.clone()] {
                buckets.insert(Self::Kind { kind: kind.clone(), namespace: namespace.clone() });
                for (key, value) in object.labels.iter() {
                    buckets.insert(Self::Label {
                        kind: kind.clone(),
                        namespace: namespace.clone(),
                        key: Arc::clone(key),
                        value: Arc::clone(value),
                    });
                }
            }
        }
        buckets
    }
}
