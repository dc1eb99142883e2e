//! Objects of one kind, in order, with an index by label.
//!
//! Most lists ask for one value of one label (`kubernetes.io/service-name=cart`), and there may be one such list for each of thousands
//! of subjects: the first list that asks for a label builds the index of that label, and every change keeps it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use mizzen_model::{Object, ObjectRef, Selector};

/// Namespace and name; cluster-scoped objects have none of the former.
type Path = (Option<Arc<str>>, Arc<str>);

/// By label key, by value: who has it.
type LabelIndex = HashMap<Arc<str>, HashMap<Arc<str>, BTreeSet<Path>>>;

/// The objects of one kind.
#[derive(Debug, Default)]
pub struct Store {
    objects: BTreeMap<Path, Arc<Object>>,
    labels: Mutex<LabelIndex>,
}

/// What an insertion changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The object was not there.
    New,
    /// It was, and was different.
    Changed {
        /// As it was.
        before: Arc<Object>,
    },
    /// Nothing that counts: the text, the labels and the uid are as they were.
    Same,
    /// The object held is newer than the one that was to be inserted, and stays.
    Stale,
}

/// One difference between two states: before and after.
pub type Difference = (Option<Arc<Object>>, Option<Arc<Object>>);

// === impl Store ===

impl Store {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an object, unless a newer revision of it is held.
    pub fn insert(&mut self, object: Arc<Object>) -> Inserted {
        let path = path(&object.reference);
        let before = self.objects.get(&path).cloned();
        match before {
            Some(before) if is_older(&object, &before) => Inserted::Stale,
            Some(before) if is_same(&object, &before) => {
                self.objects.insert(path, object);
                Inserted::Same
            }
            Some(before) => {
                self.unindex(&path, &before);
                self.index(&path, &object);
                self.objects.insert(path, object);
                Inserted::Changed { before }
            }
            None => {
                self.index(&path, &object);
                self.objects.insert(path, object);
                Inserted::New
            }
        }
    }

    /// Takes an object out.
    pub fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Object>> {
        let path = path(object);
        let removed = self.objects.remove(&path)?;
        self.unindex(&path, &removed);
        Some(removed)
    }

    /// One object.
    pub fn get(&self, object: &ObjectRef) -> Option<Arc<Object>> {
        self.objects.get(&path(object)).cloned()
    }

    /// The objects that a selector selects, in namespace and name order.
    pub fn list(&self, namespace: Option<&str>, labels: &Selector) -> Vec<Arc<Object>> {
        let wanted = |object: &&Arc<Object>| {
            namespace.is_none_or(|namespace| object.reference.namespace.as_deref() == Some(namespace))
                && labels.matches(&object.labels)
        };
        let Some((key, value)) = labels.equality() else {
            return match namespace {
                None => self.objects.values().filter(wanted).cloned().collect(),
                Some(namespace) => {
                    let from: Path = (Some(namespace.into()), "".into());
                    let here = |(path, _): &(&Path, &Arc<Object>)| path.0.as_deref() == Some(namespace);
                    self.objects
                        .range(from..)
                        .take_while(here)
                        .map(|(_, object)| object)
                        .filter(wanted)
                        .cloned()
                        .collect()
                }
            };
        };
        let mut index = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let by_value = index.entry(Arc::clone(key)).or_insert_with(|| self.build(key));
        let paths = by_value.get(value).into_iter().flatten();
        paths.filter_map(|path| self.objects.get(path)).filter(wanted).cloned().collect()
    }

    /// How many objects a selector selects.
    pub fn count(&self, namespace: Option<&str>, labels: &Selector) -> usize {
        self.list(namespace, labels).len()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// All objects, in namespace and name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// Puts a whole new list in place of what is held, and gives the differences. Objects held in a newer revision stay.
    pub fn replace(&mut self, all: Vec<Arc<Object>>) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut gone: BTreeSet<Path> = self.objects.keys().cloned().collect();
        for object in all {
            gone.remove(&path(&object.reference));
            match self.insert(Arc::clone(&object)) {
                Inserted::New => differences.push((None, Some(object))),
                Inserted::Changed { before } => differences.push((Some(before), Some(object))),
                Inserted::Same | Inserted::Stale => {}
            }
        }
        for path in gone {
            if let Some(object) = self.objects.remove(&path) {
                self.unindex(&path, &object);
                differences.push((Some(object), None));
            }
        }
        differences
    }

    fn build(&self, key: &str) -> HashMap<Arc<str>, BTreeSet<Path>> {
        let mut by_value: HashMap<Arc<str>, BTreeSet<Path>> = HashMap::new();
        for (path, object) in &self.objects {
            if let Some(value) = object.labels.get(key) {
                by_value.entry(value.into()).or_default().insert(path.clone());
            }
        }
        by_value
    }

    fn index(&self, path: &Path, object: &Object) {
        let mut index = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in object.labels.iter() {
            if let Some(by_value) = index.get_mut(key) {
                by_value.entry(Arc::clone(value)).or_default().insert(path.clone());
            }
        }
    }

    fn unindex(&self, path: &Path, object: &Object) {
        let mut index = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in object.labels.iter() {
            if let Some(by_value) = index.get_mut(key)
                && let Some(paths) = by_value.get_mut(value)
            {
                paths.remove(path);
                if paths.is_empty() {
                    by_value.remove(value);
                }
            }
        }
    }
}

fn path(object: &ObjectRef) -> Path {
    (object.namespace.clone(), Arc::clone(&object.name))
}

fn is_same(a: &Object, b: &Object) -> bool {
    a.json() == b.json() && a.labels == b.labels && a.uid == b.uid && a.deleting == b.deleting
}

/// Revisions of one object are comparable; an object that was deleted and made anew is another one.
fn is_older(new: &Object, held: &Object) -> bool {
    new.uid == held.uid && new.resource_version != 0 && new.resource_version < held.resource_version
}

#[cfg(test)]
mod tests {
    use mizzen_model::Fields;
    use serde_json::json;

    use super::*;

    fn object(namespace: &str, name: &str, labels: &serde_json::Value, version: u64) -> Arc<Object> {
        let document = json!({"apiVersion": "v1", "kind": "Pod", "metadata":
            {"namespace": namespace, "name": name, "uid": "1", "labels": labels, "resourceVersion": version.to_string()}});
        Arc::new(Object::new(document, &Fields::Whole).unwrap())
    }

    fn names(objects: &[Arc<Object>]) -> Vec<String> {
        objects.iter().map(|object| object.reference.path()).collect()
    }

    #[test]
    fn lists_are_in_namespace_and_name_order() {
        let mut store = Store::new();
        for (namespace, name) in [("b", "a"), ("a", "b"), ("a", "a"), ("ab", "a")] {
            store.insert(object(namespace, name, &json!({}), 1));
        }
        assert_eq!(names(&store.list(None, &Selector::everything())), ["a/a", "a/b", "ab/a", "b/a"]);
        assert_eq!(names(&store.list(Some("a"), &Selector::everything())), ["a/a", "a/b"]);
    }

    #[test]
    fn the_label_index_follows_every_change() {
        let mut store = Store::new();
        let web = Selector::equal("app", "web");
        store.insert(object("a", "x", &json!({"app": "web"}), 1));
        assert_eq!(names(&store.list(None, &web)), ["a/x"]);
        store.insert(object("a", "y", &json!({"app": "web"}), 2));
        store.insert(object("a", "x", &json!({"app": "db"}), 3));
        assert_eq!(names(&store.list(None, &web)), ["a/y"]);
        store.remove(&object("a", "y", &json!({}), 0).reference);
        assert!(store.list(None, &web).is_empty());
        assert_eq!(names(&store.list(Some("a"), &Selector::equal("app", "db"))), ["a/x"]);
    }

    #[test]
    fn an_older_revision_never_replaces_a_newer_one() {
        let mut store = Store::new();
        store.insert(object("a", "x", &json!({"v": "5"}), 5));
        assert_eq!(store.insert(object("a", "x", &json!({"v": "4"}), 4)), Inserted::Stale);
        assert_eq!(store.insert(object("a", "x", &json!({"v": "5"}), 6)), Inserted::Same);
        assert!(matches!(store.insert(object("a", "x", &json!({"v": "7"}), 7)), Inserted::Changed { .. }));
    }

    #[test]
    fn a_new_list_differs_by_what_came_changed_and_went() {
        let mut store = Store::new();
        for (name, version) in [("stays", 1), ("changes", 1), ("goes", 1)] {
            store.insert(object("a", name, &json!({"v": "1"}), version));
        }
        let list = vec![
            object("a", "stays", &json!({"v": "1"}), 2),
            object("a", "changes", &json!({"v": "2"}), 2),
            object("a", "comes", &json!({}), 2),
        ];
        let seen: Vec<_> = store
            .replace(list)
            .iter()
            .map(|(before, after)| {
                let object = after.as_ref().or(before.as_ref()).unwrap();
                (object.reference.name.to_string(), before.is_some(), after.is_some())
            })
            .collect();
        let expected = [("changes", true, true), ("comes", false, true), ("goes", true, false)];
        assert_eq!(seen, expected.map(|(name, before, after)| (name.to_owned(), before, after)));
        assert_eq!(store.len(), 3);
    }
}
