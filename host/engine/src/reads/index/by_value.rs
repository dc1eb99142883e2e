//! The reads that select by values, found by the texts in a changed object.
//!
//! Finding the reads of a text takes one step for each byte of the text and one for each read found: `equals` is looked
//! up with the text itself, `starts_with` with each prefix of it, and the reads of `prefix_of` are adjacent: they are
//! those whose text begins with it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use mizzen_model::values::texts;
use mizzen_model::{FieldPath, Kind, ObjectRef, TextMap, TextTest, ValueSelector};

use super::read::{Read, Seen};

type Reads = HashSet<Arc<Read>>;

/// A kind, in one namespace or in all.
type Place = (Kind, Option<Arc<str>>);

/// The reads by the field that they select by.
type Fields = HashMap<FieldPath, FieldReads>;

/// The reads that select by values.
#[derive(Default)]
pub(super) struct ByValue(HashMap<Place, Fields>);

/// The reads that select by one field.
#[derive(Default)]
struct FieldReads {
    equals: TextMap<Reads>,
    starts_with: TextMap<Reads>,
    prefix_of: TextMap<Reads>,
}

// === impl ByValue ===

impl ByValue {
    pub(super) fn insert(&mut self, read: &Arc<Read>) {
        let Read::List { kind, namespace, values: Some(values), .. } = &**read else { return };
        // Without any selector, a read never returns anything.
        for selector in values.iter() {
            let fields = self.0.entry((kind.clone(), namespace.clone())).or_default();
            let (reads, text) = fields.entry(selector.path().clone()).or_default().of(selector);
            reads.entry(text).insert(Arc::clone(read));
        }
    }

    pub(super) fn remove(&mut self, read: &Read) {
        let Read::List { kind, namespace, values: Some(values), .. } = read else { return };
        let place = (kind.clone(), namespace.clone());
        for selector in values.iter() {
            let Some(fields) = self.0.get_mut(&place) else { return };
            if let Some(own) = fields.get_mut(selector.path()) {
                let (reads, text) = own.of(selector);
                reads.shrink(text, |reads| _ = reads.remove(read), HashSet::is_empty);
                if own.is_empty() {
                    fields.remove(selector.path());
                }
            }
            if fields.is_empty() {
                self.0.remove(&place);
            }
        }
    }

    /// Calls `found` with the reads that a change may affect, with some of them several times.
    pub(super) fn candidates<'a>(&'a self, seen: &Seen<'_>, mut found: impl FnMut(&'a Arc<Read>)) {
        let Some(object) = seen.sides().map(|side| side.object).next() else { return };
        let ObjectRef { kind, namespace, .. } = &object.reference;
        let all = self.0.get(&(kind.clone(), None));
        let here = namespace.as_ref().and_then(|own| self.0.get(&(kind.clone(), Some(Arc::clone(own)))));
        for (field, reads) in all.into_iter().chain(here).flatten() {
            let texts: BTreeSet<_> = seen.sides().flat_map(|side| texts(field, side.value())).collect();
            for text in &texts {
                reads.equals.get(text).into_iter().flatten().for_each(&mut found);
                reads.starts_with.prefixes_of(text).flatten().for_each(&mut found);
                reads.prefix_of.starting_with(text).flatten().for_each(&mut found);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

// === impl FieldReads ===

impl FieldReads {
    fn of<'a>(&mut self, selector: &'a ValueSelector) -> (&mut TextMap<Reads>, &'a str) {
        match selector.test() {
            TextTest::Equals(text) => (&mut self.equals, text),
            TextTest::StartsWith(text) => (&mut self.starts_with, text),
            TextTest::PrefixOf(text) => (&mut self.prefix_of, text),
        }
    }

    fn is_empty(&self) -> bool {
        [&self.equals, &self.starts_with, &self.prefix_of].iter().all(|reads| reads.is_empty())
    }
}
