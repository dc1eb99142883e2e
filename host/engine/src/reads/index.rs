//! The read index: who read what changed?
//!
//! Every distinct read is held once, with all who made it. A changed object leads to the few reads that could have seen it (by
//! its name, by one of its labels, by a text in one of its fields, by its kind and namespace), and each of those is judged once, at the
//! granularity of the fields it asked for. So one change costs as much as it has readers, whatever the number of subjects.

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
pub(crate) use self::read::{Held, Read};
use crate::plugin::Key;
use crate::reads::renderers::Replaced;

/// Which keys made which reads.
#[derive(Default)]
pub(crate) struct ReadIndex {
    /// Each distinct read, with its readers.
    readers: HashMap<Arc<Read>, Few<Key>>,
    /// Where a change finds the reads: those that ask for values by these, all others by bucket.
    by_value: ByValue,
    buckets: HashMap<Bucket, HashSet<Arc<Read>>>,
    /// The other way round: what each key has read.
    reads: HashMap<Key, HashSet<Arc<Read>>>,
}

// === impl ReadIndex ===

impl ReadIndex {
    /// Notes a read. To be called before the read is answered, so that no change falls in between.
    pub(crate) fn record(&mut self, key: Key, read: Read) -> Arc<Read> {
        let known = self.readers.get_key_value(&read).map(|(read, _)| Arc::clone(read));
        let read = known.unwrap_or_else(|| self.hold(Arc::new(read)));
        self.readers.entry(Arc::clone(&read)).or_default().insert(key);
        self.reads.entry(key).or_default().insert(Arc::clone(&read));
        read
    }

    /// Keeps of a key's reads only those of its last call: earlier ones no longer matter to it.
    pub(crate) fn retain(&mut self, key: Key, current: &HashSet<Arc<Read>>) {
        let Some(own) = self.reads.get_mut(&key) else { return };
        let stale: Vec<_> = own.extract_if(|read| !current.contains(read)).collect();
        own.shrink_to_fit();
        for read in stale {
            self.forget(key, &read);
        }
    }

    /// Forgets a key.
    pub(crate) fn remove(&mut self, key: Key) {
        for read in self.reads.remove(&key).into_iter().flatten() {
            self.forget(key, &read);
        }
    }

    fn hold(&mut self, read: Arc<Read>) -> Arc<Read> {
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

    /// The keys that read what changed from `before` to `after`.
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

    /// The reads that might have seen a change, each once.
    fn candidates<'a>(&'a self, seen: &Seen<'_>) -> impl Iterator<Item = &'a Arc<Read>> {
        let mut candidates = HashMap::new();
        // Every distinct read is held once, so its address is its name.
        let mut found = |read: &'a Arc<Read>| _ = candidates.insert(Arc::as_ptr(read), read);
        let buckets = Bucket::candidates(seen).into_iter().filter_map(|bucket| self.buckets.get(&bucket));
        buckets.flatten().for_each(&mut found);
        self.by_value.candidates(seen, found);
        candidates.into_values()
    }

    /// The keys that asked whether this kind is served, or read it while it was not.
    pub(crate) fn asked_whether_served(&self, kind: &Kind) -> HashSet<Key> {
        self.readers_of(self.at(&Bucket::Serves(kind.clone())))
    }

    /// The keys that sent requests with this object.
    pub(crate) fn sent_with(&self, object: &ObjectRef) -> HashSet<Key> {
        self.readers_of(self.at(&Bucket::Followed(object.clone())))
    }

    /// The keys that called one of the renderers that were replaced, or looked at which there are.
    pub(crate) fn asked_of_renderers(&self, replaced: &Replaced) -> HashSet<Key> {
        let called = replaced.names().into_iter().flat_map(|name| self.at(&Bucket::Render(name)));
        let looked = self.at(&Bucket::Renderers).filter(|read| match &***read {
            Read::Renderers(grant) => replaced.changes_for(grant),
            _ => false,
        });
        self.readers_of(called.chain(looked))
    }

    fn at<'a>(&'a self, bucket: &Bucket) -> impl Iterator<Item = &'a Arc<Read>> + use<'a> {
        self.buckets.get(bucket).into_iter().flatten()
    }

    fn readers_of<'a>(&self, reads: impl Iterator<Item = &'a Arc<Read>>) -> HashSet<Key> {
        reads.filter_map(|read| self.readers.get(read)).flat_map(Few::iter).copied().collect()
    }

    /// How many distinct reads are held.
    pub(crate) fn len(&self) -> usize {
        self.readers.len()
    }
}
