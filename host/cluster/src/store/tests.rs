use mizzen_model::{Fields, Kind, Selector, TextTest, Values};
use proptest::prelude::*;
use serde_json::json;

use super::by_label::INDEXED_LABELS;
use super::by_value::INDEXED_FIELDS;
use super::*;

fn object(namespace: &str, name: &str, labels: &serde_json::Value, version: u64) -> Arc<Object> {
    let document = json!({"apiVersion": "v1", "kind": "Pod", "metadata":
        {"namespace": namespace, "name": name, "uid": "1", "labels": labels, "resourceVersion": version.to_string()}});
    Arc::new(Object::new(document, &Fields::Whole).unwrap())
}

fn list(store: &Store, namespace: Option<&str>, labels: &Selector) -> Vec<Arc<Object>> {
    store.list(&Selection { namespace, labels: Some(labels), values: None })
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
    assert_eq!(names(&list(&store, None, &Selector::everything())), ["a/a", "a/b", "ab/a", "b/a"]);
    assert_eq!(names(&list(&store, Some("a"), &Selector::everything())), ["a/a", "a/b"]);
}

#[test]
fn every_change_updates_the_label_index() {
    let mut store = Store::new();
    let web = Selector::equal("app", "web");
    store.insert(object("a", "x", &json!({"app": "web"}), 1));
    assert_eq!(names(&list(&store, None, &web)), ["a/x"]);
    store.insert(object("a", "y", &json!({"app": "web"}), 2));
    store.insert(object("a", "x", &json!({"app": "db"}), 3));
    assert_eq!(names(&list(&store, None, &web)), ["a/y"]);
    store.remove(&object("a", "y", &json!({}), 0).reference);
    assert!(list(&store, None, &web).is_empty());
    assert_eq!(names(&list(&store, Some("a"), &Selector::equal("app", "db"))), ["a/x"]);
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
fn a_new_list_differs_by_created_changed_and_deleted_objects() {
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
        .map(|Difference { before, after }| {
            let object = after.as_ref().or(before.as_ref()).unwrap();
            (object.reference.name.to_string(), before.is_some(), after.is_some())
        })
        .collect();
    let expected = [("changes", true, true), ("comes", false, true), ("goes", true, false)];
    assert_eq!(seen, expected.map(|(name, before, after)| (name.to_owned(), before, after)));
    assert_eq!(store.len(), 3);
}

#[test]
fn lists_by_more_labels_than_are_indexed_work() {
    let mut store = Store::new();
    let labels: serde_json::Value = (0..=INDEXED_LABELS).map(|n| (format!("l{n}"), json!("v"))).collect();
    store.insert(object("a", "x", &labels, 1));
    for n in 0..=INDEXED_LABELS {
        assert_eq!(list(&store, None, &Selector::equal(&format!("l{n}"), "v")).len(), 1);
    }
    assert_eq!(store.indexes.lock().labels.labels(), INDEXED_LABELS);
}

#[test]
fn a_cluster_scoped_object_is_not_in_any_namespace() {
    let mut store = Store::new();
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}});
    store.insert(Arc::new(Object::new(node, &Fields::Whole).unwrap()));
    assert_eq!(list(&store, None, &Selector::everything()).len(), 1);
    assert_eq!(list(&store, Some(""), &Selector::everything()).len(), 0);
}

/// An operation on a store: on one object, or on a whole list.
#[derive(Clone, Debug)]
enum Step {
    Insert(Thing),
    Remove(Thing),
    Replace(Vec<Thing>),
    List(Option<&'static str>, &'static str, Option<Vec<(&'static str, TextTest)>>),
}

/// Namespace, name, value of the label `app`, texts in its fields, revision, uid.
type Thing = (&'static str, &'static str, &'static str, Vec<&'static str>, u64, &'static str);

const TEXTS: [&str; 6] = ["", "/", "/a", "/a/b", "/ab", "x"];

fn thing() -> impl Strategy<Value = Thing> {
    let pick = |of: &'static [&'static str]| prop::sample::select(of);
    let texts = prop::collection::vec(pick(&TEXTS), 0..3);
    (pick(&["a", "ab", "b"]), pick(&["x", "y", "z"]), pick(&["", "web", "db"]), texts, 0..9_u64, pick(&["1", "2"]))
}

fn value() -> impl Strategy<Value = (&'static str, TextTest)> {
    let test = (0..3, prop::sample::select(&TEXTS[..])).prop_map(|(which, text)| match which {
        0 => TextTest::Equals(text.into()),
        1 => TextTest::StartsWith(text.into()),
        _ => TextTest::PrefixOf(text.into()),
    });
    (prop::sample::select(&["spec.each[*].text", "spec.first", "spec.each[kind=b].text", "spec.number"][..]), test)
}

fn step() -> impl Strategy<Value = Step> {
    let namespace = prop::option::of(prop::sample::select(&["a", "ab", "c"][..]));
    let selector = prop::sample::select(&["", "app=web", "app=db", "app=none", "app", "!app", "app=web,other"][..]);
    prop_oneof![
        4 => thing().prop_map(Step::Insert),
        2 => thing().prop_map(Step::Remove),
        1 => prop::collection::vec(thing(), 0..5).prop_map(Step::Replace),
        3 => (namespace, selector, prop::option::of(prop::collection::vec(value(), 0..3)))
            .prop_map(|(namespace, selector, values)| Step::List(namespace, selector, values)),
    ]
}

fn made((namespace, name, app, texts, version, uid): &Thing) -> Arc<Object> {
    let labels = if app.is_empty() { json!({}) } else { json!({"app": app}) };
    let each: Vec<_> = texts.iter().zip(["a", "b"]).map(|(text, kind)| json!({"text": text, "kind": kind})).collect();
    let document = json!({"apiVersion": "v1", "kind": "Pod", "metadata":
        {"namespace": namespace, "name": name, "uid": uid, "labels": labels, "resourceVersion": version.to_string()},
        "spec": {"first": texts.first(), "number": version, "each": each}});
    // The revision itself is left out: two revisions without another difference are the same to a
    // store.
    Arc::new(Object::new(document, &Fields::parse(["spec.first", "spec.each"]).unwrap()).unwrap())
}

/// A store that always scans all objects.
#[derive(Default)]
struct Naive(Vec<Arc<Object>>);

impl Naive {
    fn insert(&mut self, object: &Arc<Object>) -> Inserted {
        let Some(held) = self.0.iter_mut().find(|held| held.reference == object.reference) else {
            self.0.push(Arc::clone(object));
            return Inserted::New;
        };
        let newer = object.resource_version == 0 || object.resource_version >= held.resource_version;
        if held.uid == object.uid && !newer {
            return Inserted::Stale;
        }
        let before = std::mem::replace(held, Arc::clone(object));
        let same = (before.json(), &before.labels, before.deleting) == (object.json(), &object.labels, object.deleting);
        if same && before.uid == object.uid { Inserted::Same } else { Inserted::Changed { before } }
    }

    fn remove(&mut self, object: &ObjectRef) -> Option<Arc<Object>> {
        self.0.iter().position(|held| held.reference == *object).map(|at| self.0.remove(at))
    }

    fn list(&self, namespace: Option<&str>, labels: &Selector, values: Option<&Values>) -> Vec<Arc<Object>> {
        let here = |object: &&Arc<Object>| {
            namespace.is_none_or(|namespace| object.reference.namespace.as_deref() == Some(namespace))
        };
        let mut found: Vec<_> =
            self.0.iter().filter(here).filter(|object| labels.matches(&object.labels)).cloned().collect();
        found.retain(|object| values.is_none_or(|values| values.matches(&object.value())));
        found.sort_by(|a, b| a.reference.cmp(&b.reference));
        found
    }
}

proptest! {
    #[test]
    fn a_store_lists_the_same_as_a_full_scan(steps in prop::collection::vec(step(), 0..60)) {
        let (mut store, mut naive) = (Store::new(), Naive::default());
        for step in steps {
            match step {
                Step::Insert(thing) => {
                    let object = made(&thing);
                    prop_assert_eq!(store.insert(Arc::clone(&object)), naive.insert(&object));
                }
                Step::Remove((namespace, name, ..)) => {
                    let object = ObjectRef::new(Kind::new("v1", "Pod"), Some(namespace), name);
                    prop_assert_eq!(store.remove(&object), naive.remove(&object));
                }
                Step::Replace(things) => {
                    let all: Vec<_> = things.iter().map(made).collect();
                    let before = naive.list(None, &Selector::everything(), None);
                    for Difference { before: from, after: to } in store.replace(all.clone()) {
                        prop_assert!(from.is_some() || to.is_some());
                        prop_assert!(from.is_none() || to.is_none() || from != to);
                    }
                    for object in &all {
                        naive.insert(object);
                    }
                    for gone in before.iter().filter(|old| all.iter().all(|new| new.reference != old.reference)) {
                        naive.remove(&gone.reference);
                    }
                }
                Step::List(namespace, selector, values) => {
                    let selector = Selector::parse(selector).unwrap();
                    let values = values.map(|values| Values::parse(values).unwrap());
                    let expected = naive.list(namespace, &selector, values.as_ref());
                    let selection = Selection { namespace, labels: Some(&selector), values: values.as_ref() };
                    prop_assert_eq!(store.count(&selection), expected.len());
                    prop_assert_eq!(store.list(&selection), expected);
                }
            }
            let all = Selector::everything();
            prop_assert_eq!(list(&store, None, &all), naive.list(None, &all, None));
        }
    }
}

#[test]
fn the_label_index_keeps_nothing_of_deleted_objects() {
    let mut store = Store::new();
    store.insert(object("a", "x", &json!({"app": "web"}), 1));
    list(&store, None, &Selector::equal("app", "web"));
    store.insert(object("a", "x", &json!({"app": "db"}), 2));
    assert_eq!(store.indexes.lock().labels.values("app"), ["db"]);
    store.replace(Vec::new());
    assert!(store.indexes.lock().labels.values("app").is_empty());
}

fn route(name: &str, prefixes: &[&str]) -> Arc<Object> {
    let matches: Vec<_> = prefixes.iter().map(|prefix| json!({"uri": {"prefix": prefix}})).collect();
    let document = json!({"apiVersion": "example.com/v1", "kind": "Route",
        "metadata": {"namespace": "a", "name": name}, "spec": {"http": [{"match": matches}]}});
    Arc::new(Object::new(document, &Fields::Whole).unwrap())
}

fn values(path: &str, test: TextTest) -> Values {
    Values::parse([(path, test)]).unwrap()
}

const PREFIX: &str = "spec.http[*].match[*].uri.prefix";

#[test]
fn a_list_by_value_reads_only_the_selected_objects() {
    let mut store = Store::new();
    for at in 0..2_000 {
        store.insert(route(&format!("r{at}"), &[&format!("/{at}/")]));
    }
    let values = values(PREFIX, TextTest::PrefixOf("/77/cart".into()));
    let selection = Selection { values: Some(&values), ..Selection::default() };
    assert_eq!(names(&store.list(&selection)), ["a/r77"]);
    let mut indexes = store.indexes.lock();
    assert_eq!(indexes.values.find(&values, &BTreeMap::new()).unwrap().len(), 1, "found without the objects");
}

#[test]
fn the_value_index_keeps_nothing_of_deleted_objects() {
    let mut store = Store::new();
    store.insert(route("r", &["/a", "/b"]));
    let values = values(PREFIX, TextTest::StartsWith("/".into()));
    let selection = Selection { values: Some(&values), ..Selection::default() };
    assert_eq!(store.count(&selection), 1);
    store.insert(route("r", &["/b", "/c"]));
    assert_eq!(store.indexes.lock().values.texts(), ["/b", "/c"]);
    store.replace(Vec::new());
    assert!(store.indexes.lock().values.texts().is_empty());
}

#[test]
fn lists_by_more_fields_than_are_indexed_work() {
    let mut store = Store::new();
    store.insert(route("r", &["/a"]));
    let spec = |n: usize| (format!("spec.f{n}"), TextTest::Equals("/a".into()));
    for n in 0..=INDEXED_FIELDS {
        let values = Values::parse([spec(n), (PREFIX.to_owned(), TextTest::Equals("/a".into()))]).unwrap();
        assert_eq!(store.count(&Selection { values: Some(&values), ..Selection::default() }), 1);
    }
    assert_eq!(store.indexes.lock().values.fields(), INDEXED_FIELDS);
}
