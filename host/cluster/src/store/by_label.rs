//! The index of objects by the value of a label, which serves most lists.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mizzen_model::{Few, Object};

use super::path::Path;

/// The most labels with an index. Plugins choose the labels that they list by: one that lists by
/// ever new labels must not fill the host's memory. Lists by further labels look at every object.
pub(super) const INDEXED_LABELS: usize = 64;

/// Paths by label key and value.
#[derive(Debug, Default)]
pub(super) struct ByLabel(HashMap<Arc<str>, HashMap<Arc<str>, Few<Path>>>);

// === impl ByLabel ===

impl ByLabel {
    /// The objects with this value of this label; `None` when the label has no index. The first
    /// list by a label builds its index.
    pub(super) fn find(
        &mut self,
        (key, value): (&Arc<str>, &Arc<str>),
        objects: &BTreeMap<Path, Arc<Object>>,
    ) -> Option<&Few<Path>> {
        static NONE: Few<Path> = Few::new();
        if !self.0.contains_key(key) && self.0.len() < INDEXED_LABELS {
            self.0.insert(Arc::clone(key), build(key, objects));
        }
        self.0.get(key).map(|by_value| by_value.get(value).unwrap_or(&NONE))
    }

    /// Replaces the entries of an object.
    pub(super) fn change(&mut self, path: &Path, before: Option<&Object>, after: Option<&Object>) {
        for (key, value) in before.into_iter().flat_map(|object| object.labels.iter()) {
            if let Some(by_value) = self.0.get_mut(key)
                && let Some(paths) = by_value.get_mut(value)
            {
                paths.remove(path);
                if paths.is_empty() {
                    by_value.remove(value);
                }
            }
        }
        for (key, value) in after.into_iter().flat_map(|object| object.labels.iter()) {
            if let Some(by_value) = self.0.get_mut(key) {
                by_value.entry(Arc::clone(value)).or_default().insert(path.clone());
            }
        }
    }

    #[cfg(test)]
    pub(super) fn labels(&self) -> usize {
        self.0.len()
    }

    #[cfg(test)]
    pub(super) fn values(&self, key: &str) -> Vec<&str> {
        self.0[key].keys().map(|value| &**value).collect()
    }
}

fn build(key: &str, objects: &BTreeMap<Path, Arc<Object>>) -> HashMap<Arc<str>, Few<Path>> {
    let mut by_value: HashMap<Arc<str>, Few<Path>> = HashMap::new();
    for (path, object) in objects {
        if let Some((_, value)) = object.labels.iter().find(|(own, _)| ***own == *key) {
            by_value.entry(Arc::clone(value)).or_default().insert(path.clone());
        }
    }
    by_value
}
