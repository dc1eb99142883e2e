//! The read index: which keys read an object that changed?
//!
//! Every distinct read is stored once, with all of its readers. A changed object leads to the few reads that may have
//! returned it (by its name, one of its labels, a text in one of its fields, or its kind and namespace), and each of
//! those is judged once, by the fields that it reads. So the cost of a change grows with the number of its readers, not
//! with the number of subjects.

mod bucket;
mod by_value;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mizzen_model::{Few, Kind, Object, ObjectRef};

use self::bucket::Bucket;
use self::by_value::ByValue;
use self::read::Seen;
pub(crate) use self::read::{Read, Watched};
use crate::plugin::Key;
use crate::reads::renderers::Replaced;

/// The reads of all keys.
#[derive(Default)]
pub(crate) struct ReadIndex {
    /// Each distinct read, with its readers.
    readers: HashMap<Arc<Read>, Few<Key>>,
    /// Where a change finds the reads: those that select by values here, all others by bucket.
    by_value: ByValue,
    buckets: HashMap<Bucket, HashSet<Arc<Read>>>,
    /// The reads of each key.
    reads: HashMap<Key, HashSet<Arc<Read>>>,
}

// === impl ReadIndex ===

impl ReadIndex {
    /// Adds a read of a key. Call it before the read is answered, so that no change is missed.
    pub(crate) fn record(&mut self, key: Key, read: Read) -> Arc<Read> {
        let known = self.readers.get_key_value(&read).map(|(read, _)| Arc::clone(read));
        let read = known.unwrap_or_else(|| self.insert(Arc::new(read)));
        self.readers.entry(Arc::clone(&read)).or_default().insert(key);
        self.reads.entry(key).or_default().insert(Arc::clone(&read));
        read
    }

    /// Removes a key's reads except those of its last call.
    pub(crate) fn retain(&mut self, key: Key, current: &HashSet<Arc<Read>>) {
        let Some(own) = self.reads.get_mut(&key) else { return };
        let stale: Vec<_> = own.extract_if(|read| !current.contains(read)).collect();
        own.shrink_to_fit();
        for read in stale {
            self.forget(key, &read);
        }
    }

    /// Removes all reads of a key.
    pub(crate) fn remove(&mut self, key: Key) {
        for read in self.reads.remove(&key).into_iter().flatten() {
            self.forget(key, &read);
        }
    }

    fn insert(&mut self, read: Arc<Read>) -> Arc<Read> {
        match Bucket::of(&read) {
            Some(bucket) => _ = self.buckets.entry(bucket).or_default().insert(Arc::clone(&read)),
            None => self.by_value.insert(&read),
        }
        read
    }

    fn forget(&mut self, key: Key, read: &Arc<Read>) {
        let Some(readers) = self.readers.get_mut(read) else { return };
        readers.remove(&key);
        if !readers.is_empty() {
            return;
        }
        self.readers.remove(read);
        let Some(bucket) = Bucket::of(read) else { return self.by_value.remove(read) };
        if let Some(reads) = self.buckets.get_mut(&bucket) {
            reads.remove(read);
            if reads.is_empty() {
                self.buckets.remove(&bucket);
            }
        }
    }

    /// The keys for which a read would return something else after a change.
    pub(crate) fn affected(&self, before: Option<&Object>, after: Option<&Object>) -> HashSet<Key> {
        let seen = Seen::new(before, after);
        let mut affected = HashSet::new();
        for read in self.candidates(&seen) {
            if let Some(readers) = self.readers.get(read)
                && !readers.iter().all(|key| affected.contains(key))
                && read.sees(&seen)
            {
                affected.extend(readers.iter());
            }
        }
        affected
    }

    /// The reads that a change may affect, each once.
    fn candidates<'a>(&'a self, seen: &Seen<'_>) -> impl Iterator<Item = &'a Arc<Read>> {
        let mut candidates = HashMap::new();
        // Every distinct read is stored once, so its address identifies it.
        let mut found = |read: &'a Arc<Read>| _ = candidates.insert(Arc::as_ptr(read), read);
        let buckets = Bucket::candidates(seen).into_iter().filter_map(|bucket| self.buckets.get(&bucket));
        buckets.flatten().for_each(&mut found);
        self.by_value.candidates(seen, found);
        candidates.into_values()
    }

    /// The keys that read whether this kind is served, or read objects of it while it was not.
    pub(crate) fn readers_of_kind(&self, kind: &Kind) -> HashSet<Key> {
        self.readers_of(self.at(&Bucket::Serves(kind.clone())))
    }

    /// The keys that sent requests with values of this object.
    pub(crate) fn readers_of_watched(&self, object: &ObjectRef) -> HashSet<Key> {
        self.readers_of(self.at(&Bucket::Watched(object.clone())))
    }

    /// The keys that called a replaced renderer, or read which renderers there are.
    pub(crate) fn readers_of_renderers(&self, replaced: &Replaced) -> HashSet<Key> {
        let called = replaced.names().into_iter().flat_map(|name| self.at(&Bucket::Render(name)));
        let listed = self.at(&Bucket::Renderers).filter(|read| match &***read {
            Read::Renderers(grant) => replaced.changes_for(grant),
            _ => false,
        });
        self.readers_of(called.chain(listed))
    }

    fn at<'a>(&'a self, bucket: &Bucket) -> impl Iterator<Item = &'a Arc<Read>> + use<'a> {
        self.buckets.get(bucket).into_iter().flatten()
    }

    fn readers_of<'a>(&self, reads: impl Iterator<Item = &'a Arc<Read>>) -> HashSet<Key> {
        reads.filter_map(|read| self.readers.get(read)).flat_map(Few::iter).copied().collect()
    }

    /// The number of distinct reads.
    pub(crate) fn len(&self) -> usize {
        self.readers.len()
    }
}
