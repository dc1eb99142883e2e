//! The index of objects by the text in a field, which serves value selectors.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mizzen_model::values::texts;
use mizzen_model::{Few, FieldPath, Object, TextMap, TextTest, ValueSelector, Values};

use super::path::Path;

/// The most fields with an index. Plugins choose the fields that they list by: one that lists by
/// ever new fields must not fill the host's memory. Lists by further fields look at every object.
pub(super) const INDEXED_FIELDS: usize = 16;

/// Paths by field and text.
#[derive(Debug, Default)]
pub(super) struct ByValue(HashMap<FieldPath, TextMap<Few<Path>>>);

// === impl ByValue ===

impl ByValue {
    /// The selected objects; `None` when a selected field has no index. The first list by a field
    /// builds its index.
    pub(super) fn find<'a>(
        &'a mut self,
        values: &'a Values,
        objects: &BTreeMap<Path, Arc<Object>>,
    ) -> Option<BTreeSet<&'a Path>> {
        self.build(values, objects);
        let mut found = BTreeSet::new();
        for selector in values.iter() {
            let texts = self.0.get(selector.path())?;
            match selector.test() {
                TextTest::Equals(text) => found.extend(texts.get(text).into_iter().flat_map(Few::iter)),
                TextTest::StartsWith(text) => found.extend(texts.starting_with(text).flat_map(Few::iter)),
                TextTest::PrefixOf(text) => found.extend(texts.prefixes_of(text).flat_map(Few::iter)),
            }
        }
        Some(found)
    }

    /// Builds the missing indexes of the selected fields, in one pass over the objects, up to
    /// [`INDEXED_FIELDS`].
    fn build(&mut self, values: &Values, objects: &BTreeMap<Path, Arc<Object>>) {
        let fields: BTreeSet<_> = values.iter().map(ValueSelector::path).collect();
        let room = INDEXED_FIELDS.saturating_sub(self.0.len());
        let new: Vec<_> = fields.into_iter().filter(|field| !self.0.contains_key(*field)).take(room).cloned().collect();
        if new.is_empty() {
            return;
        }
        let mut built: Vec<TextMap<Few<Path>>> = new.iter().map(|_| TextMap::default()).collect();
        for (path, object) in objects {
            let value = object.value();
            for (field, index) in new.iter().zip(&mut built) {
                for text in texts(field, &value) {
                    index.entry(&text).insert(path.clone());
                }
            }
        }
        self.0.extend(new.into_iter().zip(built));
    }

    /// Replaces the entries of an object.
    pub(super) fn change(&mut self, path: &Path, before: Option<&Object>, after: Option<&Object>) {
        // Parsing the object costs time, which only an index is worth.
        if self.0.is_empty() {
            return;
        }
        let [before, after] = [before, after].map(|object| object.map(Object::value));
        for (field, index) in &mut self.0 {
            let [removed, added] =
                [&before, &after].map(|value| value.as_ref().map(|value| texts(field, value)).unwrap_or_default());
            for text in removed.difference(&added) {
                index.shrink(text, |paths| paths.remove(path), Few::is_empty);
            }
            for text in added.difference(&removed) {
                index.entry(text).insert(path.clone());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn fields(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<&str> {
        self.0.values().flat_map(|texts| texts.iter().map(|(text, _)| text)).collect()
    }
}
