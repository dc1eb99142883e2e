//! Stand-in.
use mizzen_model::{Object, ObjectRef, Selector};
use std::collections::BTreeMap;
use std::sync::Arc;
#[derive(Default)]
pub(crate) struct Store(BTreeMap<ObjectRef, Arc<Object>>);
impl Store {
    pub(crate) fn get(&self, r: &ObjectRef) -> Option<Arc<Object>> {
        self.0.get(r).cloned()
    }
    pub(crate) fn insert(&mut self, o: Arc<Object>) -> Option<Arc<Object>> {
        self.0.insert(o.reference.clone(), o)
    }
    pub(crate) fn remove(&mut self, r: &ObjectRef) -> Option<Arc<Object>> {
        self.0.remove(r)
    }
    pub(crate) fn list(&self, ns: Option<&str>, l: &Selector) -> Vec<Arc<Object>> {
        self.0
            .values()
            .filter(|o| ns.is_none_or(|n| o.reference.namespace.as_deref() == Some(n)) && l.matches(&o.labels))
            .cloned()
            .collect()
    }
    pub(crate) fn replace(
        &mut self,
        new: impl IntoIterator<Item = Arc<Object>>,
    ) -> Vec<(Option<Arc<Object>>, Option<Arc<Object>>)> {
        let mut old = std::mem::take(&mut self.0);
        let mut out = vec![];
        for o in new {
            let b = old.remove(&o.reference);
            if b.as_ref().is_none_or(|b| b.json() != o.json() || b.labels != o.labels || b.deleting != o.deleting) {
                out.push((b, Some(o.clone())));
            }
            self.0.insert(o.reference.clone(), o);
        }
        out.extend(old.into_values().map(|o| (Some(o), None)));
        out
    }
}
