//! The read index: who read what changed?
//!
//! Every distinct read is held once, with all who made it. A changed object leads to the few reads that could have seen it (by
//! its name, by one of its labels, by its kind and namespace), and each of those is judged once, at the granularity of the fields
//! it asked for. So one change costs as much as it has readers, whatever the number of subjects.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mizzen_model::{Fields, Kind, Object, ObjectRef, Selector};

use crate::node::Key;
use crate::renderers::Replaced;

/// One read, as far as waking goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Read {
    /// One object.
    Get { object: ObjectRef, fields: Fields },
    /// The objects that a selector selects.
    List { kind: Kind, namespace: Option<Arc<str>>, labels: Selector, fields: Fields },
    /// Whether a kind is served.
    Serves(Kind),
    /// Which renderers are granted.
    Renderers(Selector),
    /// What a renderer makes of something.
    Render(Arc<str>),
}

/// By what a changed object finds the reads that may have seen it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    Object(ObjectRef),
    Label { kind: Kind, namespace: Option<Arc<str>>, key: Arc<str>, value: Arc<str> },
    Kind { kind: Kind, namespace: Option<Arc<str>> },
    Serves(Kind),
    Renderers,
    Render(Arc<str>),
}

/// Which keys made which reads.
#[derive(Default)]
pub(crate) struct ReadIndex {
    /// By bucket, then by read, the readers.
    buckets: HashMap<Bucket, HashMap<Arc<Read>, HashSet<Key>>>,
    /// The other way round: what each key has read.
    reads: HashMap<Key, HashSet<Arc<Read>>>,
}

// === impl ReadIndex ===

impl ReadIndex {
    /// Notes a read. To be called before the read is answered, so that no change falls in between.
    pub(crate) fn record(&mut self, key: Key, read: Read) -> Arc<Read> {
        let readers = self.buckets.entry(Bucket::of(&read)).or_default();
        let read = readers.get_key_value(&read).map_or_else(|| Arc::new(read), |(read, _)| Arc::clone(read));
        readers.entry(Arc::clone(&read)).or_default().insert(key);
        self.reads.entry(key).or_default().insert(Arc::clone(&read));
        read
    }

    /// Keeps of a key's reads only those of its last call: earlier ones no longer matter to it.
    pub(crate) fn retain(&mut self, key: Key, current: &HashSet<Arc<Read>>) {
        let Some(own) = self.reads.get_mut(&key) else { return };
        let stale: Vec<_> = own.iter().filter(|read| !current.contains(*read)).cloned().collect();
        for read in stale {
            own.remove(&read);
            Self::forget(&mut self.buckets, key, &read);
        }
        own.shrink_to_fit();
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: Key) {
        for read in self.reads.remove(&key).into_iter().flatten() {
            Self::forget(&mut self.buckets, key, &read);
        }
    }

    fn forget(buckets: &mut HashMap<Bucket, HashMap<Arc<Read>, HashSet<Key>>>, key: Key, read: &Arc<Read>) {
        let bucket = Bucket::of(read);
        let Some(reads) = buckets.get_mut(&bucket) else { return };
        if let Some(readers) = reads.get_mut(read) {
            readers.remove(&key);
            if readers.is_empty() {
                reads.remove(read);
            }
        }
        if reads.is_empty() {
            buckets.remove(&bucket);
        }
    }

    /// The keys that read what changed from `before` to `after`.
    pub(crate) fn affected(&self, before: Option<&Object>, after: Option<&Object>) -> HashSet<Key> {
        let mut affected = HashSet::new();
        for bucket in Bucket::candidates(before, after) {
            for (read, readers) in self.buckets.get(&bucket).into_iter().flatten() {
                if !readers.iter().all(|key| affected.contains(key)) && read.sees(before, after) {
                    affected.extend(readers);
                }
            }
        }
        affected
    }

    /// The keys that asked whether this kind is served, or read it while it was not.
    pub(crate) fn asked_whether_served(&self, kind: &Kind) -> HashSet<Key> {
        self.buckets
            .get(&Bucket::Serves(kind.clone()))
            .into_iter()
            .flatten()
            .flat_map(|(_, readers)| readers)
            .copied()
            .collect()
    }

    /// The keys that called one of the renderers that were replaced, or looked at which there are.
    pub(crate) fn asked_of_renderers(&self, replaced: &Replaced) -> HashSet<Key> {
        let called = replaced.names().into_iter().filter_map(|name| self.buckets.get(&Bucket::Render(name))).flatten();
        let looked = self.buckets.get(&Bucket::Renderers).into_iter().flatten();
        let looked = looked.filter(|(read, _)| match &***read {
            Read::Renderers(grant) => replaced.changes_for(grant),
            _ => false,
        });
        called.chain(looked).flat_map(|(_, readers)| readers).copied().collect()
    }

    /// How many distinct reads are held.
    pub(crate) fn len(&self) -> usize {
        self.buckets.values().map(HashMap::len).sum()
    }
}

// === impl Read ===

impl Read {
    /// Whether this read would answer differently after the change.
    fn sees(&self, before: Option<&Object>, after: Option<&Object>) -> bool {
        let (selected, fields): (&dyn Fn(&Object) -> bool, _) = match self {
            Self::Get { object, fields } => (&|changed: &Object| changed.reference == *object, fields),
            Self::List { labels, fields, .. } => (&|changed: &Object| labels.matches(&changed.labels), fields),
            Self::Serves(_) | Self::Renderers(_) | Self::Render(_) => return false,
        };
        match (before.filter(|o| selected(o)), after.filter(|o| selected(o))) {
            (None, None) => false,
            (Some(before), Some(after)) => before.text(fields) != after.text(fields),
            _ => true,
        }
    }
}

// === impl Bucket ===

impl Bucket {
    fn of(read: &Read) -> Self {
        match read {
            Read::Get { object, .. } => Self::Object(object.clone()),
            Read::Serves(kind) => Self::Serves(kind.clone()),
            Read::Renderers(_) => Self::Renderers,
            Read::Render(name) => Self::Render(Arc::clone(name)),
            Read::List { kind, namespace, labels, .. } => match labels.equality() {
                Some((key, value)) => Self::Label {
                    kind: kind.clone(),
                    namespace: namespace.clone(),
                    key: Arc::clone(key),
                    value: Arc::clone(value),
                },
                None => Self::Kind { kind: kind.clone(), namespace: namespace.clone() },
            },
        }
    }

    /// Every bucket with a read that might have seen the object.
    fn candidates(before: Option<&Object>, after: Option<&Object>) -> HashSet<Self> {
        let mut buckets = HashSet::new();
        for object in before.into_iter().chain(after) {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::node::{NodeId, SubjectId};

    fn key(subject: u32) -> Key {
        Key { node: NodeId(0), subject: SubjectId(subject) }
    }

    fn slice(name: &str, service: &str, ready: bool, note: &str) -> Object {
        let document: Value = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": name, "namespace": "shop", "labels": {"service": service}, "annotations": {"note": note}},
            "endpoints": [{"conditions": {"ready": ready}}]});
        Object::new(document, &Fields::Whole).unwrap()
    }

    fn list(service: &str, paths: &[&str]) -> Read {
        Read::List {
            kind: Kind::new("discovery.k8s.io/v1", "EndpointSlice"),
            namespace: Some("shop".into()),
            labels: Selector::equal("service", service),
            fields: Fields::parse(paths).unwrap(),
        }
    }

    #[test]
    fn a_change_of_a_field_that_was_not_read_wakes_nobody() {
        let mut index = ReadIndex::default();
        index.record(key(1), list("cart", &["endpoints[*].conditions.ready"]));
        let (before, noted) = (slice("a", "cart", true, "x"), slice("a", "cart", true, "y"));
        assert!(index.affected(Some(&before), Some(&noted)).is_empty());
        let unready = slice("a", "cart", false, "x");
        assert_eq!(index.affected(Some(&before), Some(&unready)), HashSet::from([key(1)]));
    }

    #[test]
    fn an_object_that_enters_or_leaves_a_selection_wakes_its_readers() {
        let mut index = ReadIndex::default();
        index.record(key(1), list("cart", &[]));
        index.record(key(2), list("till", &[]));
        let (before, after) = (slice("a", "cart", true, ""), slice("a", "till", true, ""));
        assert_eq!(index.affected(Some(&before), Some(&after)), HashSet::from([key(1), key(2)]));
        assert_eq!(index.affected(None, Some(&after)), HashSet::from([key(2)]));
        assert_eq!(index.affected(Some(&before), None), HashSet::from([key(1)]));
    }

    #[test]
    fn one_change_is_judged_by_its_candidates_and_not_by_every_read() {
        let mut index = ReadIndex::default();
        for subject in 0..10_000 {
            index.record(key(subject), list(&format!("s{subject}"), &["endpoints"]));
        }
        let changed = slice("a", "s77", true, "");
        let judged: usize = Bucket::candidates(None, Some(&changed))
            .iter()
            .filter_map(|b| index.buckets.get(b))
            .map(HashMap::len)
            .sum();
        assert_eq!((index.len(), judged), (10_000, 1));
        assert_eq!(index.affected(None, Some(&changed)), HashSet::from([key(77)]));
    }

    #[test]
    fn a_read_that_the_last_call_did_not_make_wakes_no_longer() {
        let mut index = ReadIndex::default();
        index.record(key(1), list("cart", &[]));
        let current = index.record(key(1), list("till", &[]));
        index.retain(key(1), &HashSet::from([current]));
        assert!(index.affected(None, Some(&slice("a", "cart", true, ""))).is_empty());
        assert!(!index.affected(None, Some(&slice("a", "till", true, ""))).is_empty());
        index.remove(key(1));
        assert_eq!(index.len(), 0);
        assert!(index.buckets.is_empty() && index.reads.is_empty());
    }

    #[test]
    fn an_object_that_was_absent_wakes_its_reader_when_it_comes() {
        let mut index = ReadIndex::default();
        let object = slice("a", "cart", true, "").reference;
        index.record(key(1), Read::Get { object, fields: Fields::Whole });
        assert_eq!(index.affected(None, Some(&slice("a", "x", true, ""))), HashSet::from([key(1)]));
        assert!(index.affected(None, Some(&slice("b", "x", true, ""))).is_empty());
    }
}
