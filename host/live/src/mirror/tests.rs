use serde_json::Value;

use super::*;
use crate::document::Document;
use crate::fake::{thing, told_by_now};

const FIRST: u64 = 1;

struct Fixture {
    mirror: Mirror,
    changes: mizzen_cluster::Changes,
}

fn kind() -> Kind {
    Kind::new("mizzen.dev/v1", "Thing")
}

fn size() -> Fields {
    Fields::parse(["spec.size"]).unwrap()
}

fn object(value: Value, fields: &Fields) -> Object {
    let document: Document = serde_json::from_value(value).unwrap();
    document.object(&kind(), fields).unwrap()
}

fn whole(value: Value) -> Arc<Object> {
    Arc::new(object(value, &Fields::Whole))
}

fn staged(values: impl IntoIterator<Item = Value>, fields: &Fields) -> Staged {
    let objects = values.into_iter().map(|value| Arc::new(object(value, fields)));
    objects.map(|object| (object.reference.clone(), object)).collect()
}

/// A view with these objects, listed at revision 10.
fn listed(scope: Scope, values: impl IntoIterator<Item = Value>) -> Fixture {
    let subscribers = Arc::new(Subscribers::default());
    let mirror = Mirror::new(kind(), scope, subscribers.clone());
    assert_eq!(mirror.want(&size()).unwrap().0, FIRST);
    assert!(matches!(mirror.adopt(FIRST, &size(), 10, staged(values, &size())), Adoption::Done));
    Fixture { mirror, changes: subscribers.subscribe() }
}

impl Fixture {
    fn names(&self) -> Vec<String> {
        let all = self.mirror.list(&Selection::default()).unwrap();
        all.iter().map(|object| object.reference.name.to_string()).collect()
    }

    fn text(&self, name: &str) -> String {
        let reference = ObjectRef::new(kind(), Some("a"), name);
        self.mirror.get(&reference).unwrap().unwrap().json().to_owned()
    }

    fn told(&mut self) -> Vec<String> {
        told_by_now(&mut self.changes)
    }
}

#[test]
fn nothing_is_read_before_the_first_list_is_complete() {
    let mirror = Mirror::new(kind(), Scope::All, Arc::default());
    mirror.want(&size());
    assert_eq!(mirror.list(&Selection::default()), Err(ReadError::NotSynced(kind())));
}

#[test]
fn objects_hold_the_fields_of_the_view_alone() {
    let view = listed(Scope::All, [thing("x", 1, 5)]);
    assert!(view.text("x").contains("\"size\":5") && !view.text("x").contains("colour"));
}

#[test]
fn an_event_that_changes_no_field_that_is_kept_is_no_change() {
    let mut view = listed(Scope::All, [thing("x", 1, 5)]);
    let mut repainted = thing("x", 11, 5);
    repainted["spec"]["colour"] = "blue".into();
    view.mirror.upsert(FIRST, Arc::new(object(repainted, &size())));
    assert_eq!(view.told(), [""; 0]);
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 12, 6), &size())));
    assert_eq!(view.told(), ["~x"]);
}

#[test]
fn a_new_list_tells_only_what_differs() {
    let mut view = listed(Scope::All, [thing("same", 1, 5), thing("grown", 2, 5), thing("gone", 3, 5)]);
    let list = [thing("same", 1, 5), thing("grown", 15, 6), thing("new", 16, 1)];
    view.mirror.adopt(FIRST, &size(), 20, staged(list, &size()));
    let mut told = view.told();
    told.sort();
    assert_eq!(told, ["+new", "-gone", "~grown"]);
}

#[test]
fn the_answer_to_a_write_is_read_at_once_and_its_event_is_no_change() {
    let mut view = listed(Scope::All, []);
    view.mirror.heard(&whole(thing("x", 11, 5)));
    assert_eq!((view.names(), view.told()), (vec!["x".to_owned()], vec!["+x".to_owned()]));
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 11, 5), &size())));
    assert_eq!(view.told(), [""; 0]);
}

#[test]
fn a_late_answer_does_not_bring_back_what_was_deleted_since() {
    let mut view = listed(Scope::All, []);
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 11, 5), &size())));
    view.mirror.remove(FIRST, &ObjectRef::new(kind(), Some("a"), "x"), 12);
    view.told();
    view.mirror.heard(&whole(thing("x", 11, 5)));
    assert_eq!((view.names(), view.told()), (vec![], vec![]));
}

#[test]
fn a_late_event_does_not_undo_a_write() {
    let mut view = listed(Scope::All, [thing("x", 5, 1)]);
    view.mirror.heard(&whole(thing("x", 13, 3)));
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 12, 2), &size())));
    assert!(view.text("x").contains("\"size\":3"));
    view.mirror.remove(FIRST, &ObjectRef::new(kind(), Some("a"), "x"), 12);
    assert_eq!((view.names(), view.told()), (vec!["x".to_owned()], vec!["~x".to_owned()]));
}

#[test]
fn what_was_written_after_a_list_was_made_outlives_the_list() {
    let mut view = listed(Scope::All, []);
    view.mirror.heard(&whole(thing("x", 15, 5)));
    view.told();
    view.mirror.adopt(FIRST, &size(), 14, staged([], &size()));
    assert_eq!((view.names(), view.told()), (vec!["x".to_owned()], vec![]));
}

#[test]
fn a_cluster_restored_from_a_backup_is_believed() {
    let view = listed(Scope::All, [thing("x", 9, 5)]);
    view.mirror.adopt(FIRST, &size(), 4, staged([thing("y", 3, 5)], &size()));
    assert_eq!(view.names(), ["y"]);
}

#[test]
fn a_wider_view_takes_over_without_telling_of_objects_that_are_the_same() {
    let mut view = listed(Scope::All, [thing("same", 1, 5), thing("grown", 2, 5)]);
    let colour = Fields::parse(["spec.colour"]).unwrap();
    let (second, wider) = view.mirror.want(&colour).unwrap();
    assert!(wider.covers(&size()) && wider.covers(&colour));
    assert!(view.mirror.want(&colour).is_none(), "it is being widened already");
    let list = [thing("same", 1, 5), thing("grown", 12, 6)];
    assert!(matches!(view.mirror.adopt(second, &wider, 12, staged(list, &wider)), Adoption::Done));
    assert_eq!(view.told(), ["~grown"]);
    assert!(view.text("same").contains("colour"));
    assert!(!view.mirror.upsert(FIRST, Arc::new(object(thing("x", 13, 1), &size()))), "the narrower one has to stop");
}

#[test]
fn a_wider_list_that_is_older_than_what_was_told_waits() {
    let view = listed(Scope::All, []);
    let (second, wider) = view.mirror.want(&Fields::Whole).unwrap();
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 13, 1), &size())));
    let Adoption::Behind(rest) = view.mirror.adopt(second, &wider, 12, Staged::new()) else { panic!("adopted") };
    assert_eq!(view.names(), ["x"]);
    view.mirror.adopt(second, &wider, 13, rest.into_iter().chain(staged([thing("x", 13, 1)], &wider)).collect());
    assert!(view.text("x").contains("colour"));
}

#[test]
fn while_a_view_is_widened_answers_are_kept_with_the_wider_fields() {
    let view = listed(Scope::All, []);
    let (second, wider) = view.mirror.want(&Fields::Whole).unwrap();
    view.mirror.heard(&whole(thing("x", 15, 1)));
    view.mirror.adopt(second, &wider, 14, Staged::new());
    assert!(view.text("x").contains("colour"));
}

#[test]
fn an_object_that_is_disowned_leaves_the_view_of_what_is_owned() {
    let mut view = listed(Scope::Owned, [thing("x", 1, 5)]);
    let mut disowned = thing("x", 11, 5);
    disowned["metadata"]["labels"] = serde_json::json!({});
    view.mirror.heard(&whole(disowned));
    assert_eq!((view.names(), view.told()), (vec![], vec!["-x".to_owned()]));
}

#[test]
fn an_api_server_that_is_away_is_read_from_memory_and_one_that_refuses_is_not_read() {
    let mut view = listed(Scope::All, [thing("x", 1, 5)]);
    view.mirror.blocked(FIRST, &ReadError::Unavailable { kind: kind(), message: "gone".into() });
    assert_eq!((view.names(), view.told()), (vec!["x".to_owned()], vec![]));
    view.mirror.blocked(FIRST, &ReadError::NotServed(kind()));
    view.mirror.blocked(FIRST, &ReadError::NotServed(kind()));
    assert_eq!(view.mirror.list(&Selection::default()), Err(ReadError::NotServed(kind())));
    assert_eq!(view.told(), ["served"], "told once");
    view.mirror.adopt(FIRST, &size(), 20, Staged::new());
    assert_eq!((view.names(), view.told()), (vec![], vec!["-x".to_owned(), "served".to_owned()]));
}
