//! Who is found, and at which cost.

use mizzen_model::{Fields, Selector, TextTest, Values};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plugin::{NodeId, SubjectId};

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
        values: None,
        fields: Fields::parse(paths).unwrap(),
    }
}

#[test]
fn a_change_of_a_field_that_was_not_read_has_no_readers() {
    let mut index = ReadIndex::default();
    index.record(key(1), list("cart", &["endpoints[*].conditions.ready"]));
    let (before, noted) = (slice("a", "cart", true, "x"), slice("a", "cart", true, "y"));
    assert!(index.affected(Some(&before), Some(&noted)).is_empty());
    let unready = slice("a", "cart", false, "x");
    assert_eq!(index.affected(Some(&before), Some(&unready)), HashSet::from([key(1)]));
}

#[test]
fn an_object_that_enters_or_leaves_a_selection_has_its_readers() {
    let mut index = ReadIndex::default();
    index.record(key(1), list("cart", &[]));
    index.record(key(2), list("till", &[]));
    let (before, after) = (slice("a", "cart", true, ""), slice("a", "till", true, ""));
    assert_eq!(index.affected(Some(&before), Some(&after)), HashSet::from([key(1), key(2)]));
    assert_eq!(index.affected(None, Some(&after)), HashSet::from([key(2)]));
    assert_eq!(index.affected(Some(&before), None), HashSet::from([key(1)]));
}

#[test]
fn a_change_is_compared_with_its_candidates_and_not_with_every_read() {
    let mut index = ReadIndex::default();
    for subject in 0..10_000 {
        index.record(key(subject), list(&format!("s{subject}"), &["endpoints"]));
    }
    let changed = slice("a", "s77", true, "");
    let judged = index.candidates(&Seen::new(None, Some(&changed))).count();
    assert_eq!((index.len(), judged), (10_000, 1));
    assert_eq!(index.affected(None, Some(&changed)), HashSet::from([key(77)]));
}

#[test]
fn a_read_that_the_last_call_did_not_make_is_removed() {
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
fn a_created_object_has_the_readers_that_found_it_missing() {
    let mut index = ReadIndex::default();
    let object = slice("a", "cart", true, "").reference;
    index.record(key(1), Read::Get { object, fields: Fields::Whole });
    assert_eq!(index.affected(None, Some(&slice("a", "x", true, ""))), HashSet::from([key(1)]));
    assert!(index.affected(None, Some(&slice("b", "x", true, ""))).is_empty());
}

const PREFIX: &str = "spec.http[*].match[*].uri.prefix";

fn route(name: &str, namespace: &str, prefixes: &[&str], port: u32) -> Object {
    let matches: Vec<_> = prefixes.iter().map(|prefix| json!({"uri": {"prefix": prefix}})).collect();
    let document = json!({"apiVersion": "example.com/v1", "kind": "Route",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"http": [{"match": matches, "port": port}], "note": port}});
    Object::new(document, &Fields::Whole).unwrap()
}

fn wherever(namespace: Option<&str>, labels: Selector, tests: &[TextTest]) -> Read {
    Read::List {
        kind: Kind::new("example.com/v1", "Route"),
        namespace: namespace.map(Into::into),
        labels,
        values: Some(Values::parse(tests.iter().map(|test| (PREFIX, test.clone()))).unwrap()),
        fields: Fields::parse(["spec.http"]).unwrap(),
    }
}

/// What overlaps with a path: what it begins with, and what begins with it.
fn overlaps(path: &str) -> Read {
    let tests = [TextTest::PrefixOf(path.into()), TextTest::StartsWith(path.into())];
    wherever(None, Selector::everything(), &tests)
}

#[test]
fn a_change_has_the_readers_of_its_old_and_new_value() {
    let mut index = ReadIndex::default();
    for subject in 0..10_000 {
        index.record(key(subject), overlaps(&format!("/{subject}/cart")));
    }
    let (before, after) = (route("r", "a", &["/77/cart/till", "/other"], 1), route("r", "a", &["/other", "/78/"], 1));
    assert_eq!(index.candidates(&Seen::new(Some(&before), Some(&after))).count(), 2);
    assert_eq!(index.affected(Some(&before), Some(&after)), HashSet::from([key(77), key(78)]));
    let everywhere = route("r", "a", &["/"], 1);
    assert_eq!(index.affected(Some(&after), Some(&everywhere)).len(), 10_000, "now each of them overlaps");
}

#[test]
fn a_change_beside_the_value_has_the_readers_that_see_that_field() {
    let mut index = ReadIndex::default();
    index.record(key(1), overlaps("/cart"));
    let (before, after) = (route("r", "a", &["/cart"], 1), route("r", "a", &["/cart"], 2));
    assert_eq!(index.affected(Some(&before), Some(&after)), HashSet::from([key(1)]));
    let noted = |note: u32| {
        let document = json!({"apiVersion": "example.com/v1", "kind": "Route",
            "metadata": {"name": "r", "namespace": "a"},
            "spec": {"http": [{"match": [{"uri": {"prefix": "/cart"}}]}], "note": note}});
        Object::new(document, &Fields::Whole).unwrap()
    };
    assert!(index.affected(Some(&noted(1)), Some(&noted(2))).is_empty());
}

#[test]
fn reads_by_value_leave_nothing_behind() {
    let mut index = ReadIndex::default();
    index.record(key(1), overlaps("/cart"));
    index.record(key(2), overlaps("/cart"));
    let nothing = index.record(key(1), wherever(Some("a"), Selector::everything(), &[]));
    index.retain(key(1), &HashSet::from([nothing]));
    assert_eq!(index.affected(None, Some(&route("r", "a", &["/cart"], 1))), HashSet::from([key(2)]));
    index.remove(key(1));
    index.remove(key(2));
    assert!(index.len() == 0 && index.by_value.is_empty() && index.reads.is_empty());
}

fn test() -> impl Strategy<Value = TextTest> {
    (0..3, "[a/]{0,3}").prop_map(|(which, text)| match which {
        0 => TextTest::Equals(text.into()),
        1 => TextTest::StartsWith(text.into()),
        _ => TextTest::PrefixOf(text.into()),
    })
}

fn read() -> impl Strategy<Value = Read> {
    let namespace = prop::option::of(prop::sample::select(&["a", "b"][..]));
    let labels = prop::sample::select(&["", "app=r", "app=s"][..]);
    (namespace, labels, prop::collection::vec(test(), 0..3))
        .prop_map(|(namespace, labels, tests)| wherever(namespace, Selector::parse(labels).unwrap(), &tests))
}

fn changed() -> impl Strategy<Value = Option<(Vec<String>, u32)>> {
    prop::option::of((prop::collection::vec("[a/]{0,3}", 0..3), 0..2_u32))
}

proptest! {
    #[test]
    fn the_index_finds_the_same_readers_as_comparing_every_read(
        reads in prop::collection::vec(read(), 0..12), before in changed(), after in changed(),
        namespace in prop::sample::select(&["a", "b"][..])
    ) {
        let object = |side: Option<(Vec<String>, u32)>| {
            side.map(|(texts, port)| route("r", namespace, &texts.iter().map(String::as_str).collect::<Vec<_>>(), port))
        };
        let (before, after) = (object(before), object(after));
        let mut index = ReadIndex::default();
        for (at, read) in (0..).zip(&reads) {
            index.record(key(at), read.clone());
        }
        let here = |read: &Read| match read {
            Read::List { namespace: own, .. } => own.as_deref().is_none_or(|own| own == namespace),
            _ => false,
        };
        let seen = Seen::new(before.as_ref(), after.as_ref());
        let expected: HashSet<_> =
            (0..).zip(&reads).filter(|(_, read)| here(read) && read.sees(&seen)).map(|(at, _)| key(at)).collect();
        prop_assert_eq!(index.affected(before.as_ref(), after.as_ref()), expected);
    }
}
