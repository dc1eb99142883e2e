use serde_json::Value;

use super::*;
use crate::document::Document;
use crate::fake::{changes_so_far, thing};

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
    assert_eq!(mirror.want(&size()).unwrap().generation, FIRST);
    assert!(matches!(mirror.replace(FIRST, &size(), 10, staged(values, &size())), Replaced::Done));
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

    fn changes(&mut self) -> Vec<String> {
        changes_so_far(&mut self.changes)
    }
}

#[test]
fn nothing_is_read_before_the_initial_list_is_complete() {
    let mirror = Mirror::new(kind(), Scope::All, Arc::default());
    mirror.want(&size());
    assert_eq!(mirror.list(&Selection::default()), Err(ReadError::NotSynced(kind())));
}

#[test]
fn objects_have_the_fields_of_the_view_alone() {
    let view = listed(Scope::All, [thing("x", 1, 5)]);
    assert!(view.text("x").contains("\"size\":5") && !view.text("x").contains("colour"));
}

#[test]
fn an_event_that_changes_no_field_of_the_view_is_not_a_change() {
    let mut view = listed(Scope::All, [thing("x", 1, 5)]);
    let mut repainted = thing("x", 11, 5);
    repainted["spec"]["colour"] = "blue".into();
    view.mirror.upsert(FIRST, Arc::new(object(repainted, &size())));
    assert_eq!(view.changes(), [""; 0]);
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 12, 6), &size())));
    assert_eq!(view.changes(), ["~x"]);
}

#[test]
fn a_new_list_reports_only_differences() {
    let mut view = listed(Scope::All, [thing("same", 1, 5), thing("grown", 2, 5), thing("gone", 3, 5)]);
    let list = [thing("same", 1, 5), thing("grown", 15, 6), thing("new", 16, 1)];
    view.mirror.replace(FIRST, &size(), 20, staged(list, &size()));
    let mut changes = view.changes();
    changes.sort();
    assert_eq!(changes, ["+new", "-gone", "~grown"]);
}

#[test]
fn the_response_to_a_write_is_read_at_once_and_its_event_is_not_a_change() {
    let mut view = listed(Scope::All, []);
    view.mirror.update_early(&whole(thing("x", 11, 5)));
    assert_eq!((view.names(), view.changes()), (vec!["x".to_owned()], vec!["+x".to_owned()]));
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 11, 5), &size())));
    assert_eq!(view.changes(), [""; 0]);
}

#[test]
fn a_late_response_does_not_restore_an_object_that_was_deleted_since() {
    let mut view = listed(Scope::All, []);
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 11, 5), &size())));
    view.mirror.remove(FIRST, &ObjectRef::new(kind(), Some("a"), "x"), 12);
    view.changes();
    view.mirror.update_early(&whole(thing("x", 11, 5)));
    assert_eq!((view.names(), view.changes()), (vec![], vec![]));
}

#[test]
fn a_late_event_does_not_undo_a_write() {
    let mut view = listed(Scope::All, [thing("x", 5, 1)]);
    view.mirror.update_early(&whole(thing("x", 13, 3)));
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 12, 2), &size())));
    assert!(view.text("x").contains("\"size\":3"));
    view.mirror.remove(FIRST, &ObjectRef::new(kind(), Some("a"), "x"), 12);
    assert_eq!((view.names(), view.changes()), (vec!["x".to_owned()], vec!["~x".to_owned()]));
}

#[test]
fn an_object_written_after_a_list_was_made_survives_the_list() {
    let mut view = listed(Scope::All, []);
    view.mirror.update_early(&whole(thing("x", 15, 5)));
    view.changes();
    view.mirror.replace(FIRST, &size(), 14, staged([], &size()));
    assert_eq!((view.names(), view.changes()), (vec!["x".to_owned()], vec![]));
}

#[test]
fn the_list_of_a_cluster_restored_from_a_backup_replaces_everything() {
    let view = listed(Scope::All, [thing("x", 9, 5)]);
    view.mirror.replace(FIRST, &size(), 4, staged([thing("y", 3, 5)], &size()));
    assert_eq!(view.names(), ["y"]);
}

#[test]
fn a_wider_view_takes_over_without_reporting_unchanged_objects() {
    let mut view = listed(Scope::All, [thing("same", 1, 5), thing("grown", 2, 5)]);
    let colour = Fields::parse(["spec.colour"]).unwrap();
    let Start { generation: second, fields: wider } = view.mirror.want(&colour).unwrap();
    assert!(wider.covers(&size()) && wider.covers(&colour));
    assert!(view.mirror.want(&colour).is_none(), "it is being widened already");
    let list = [thing("same", 1, 5), thing("grown", 12, 6)];
    assert!(matches!(view.mirror.replace(second, &wider, 12, staged(list, &wider)), Replaced::Done));
    assert_eq!(view.changes(), ["~grown"]);
    assert!(view.text("same").contains("colour"));
    assert!(
        !view.mirror.upsert(FIRST, Arc::new(object(thing("x", 13, 1), &size()))),
        "the reflector of the narrower view has to stop"
    );
}

#[test]
fn a_wider_list_that_is_older_than_the_reported_changes_waits() {
    let view = listed(Scope::All, []);
    let Start { generation: second, fields: wider } = view.mirror.want(&Fields::Whole).unwrap();
    view.mirror.upsert(FIRST, Arc::new(object(thing("x", 13, 1), &size())));
    let Replaced::Behind(rest) = view.mirror.replace(second, &wider, 12, Staged::new()) else { panic!("replaced") };
    assert_eq!(view.names(), ["x"]);
    view.mirror.replace(second, &wider, 13, rest.into_iter().chain(staged([thing("x", 13, 1)], &wider)).collect());
    assert!(view.text("x").contains("colour"));
}

#[test]
fn while_a_view_is_widened_responses_are_stored_with_the_wider_fields() {
    let view = listed(Scope::All, []);
    let Start { generation: second, fields: wider } = view.mirror.want(&Fields::Whole).unwrap();
    view.mirror.update_early(&whole(thing("x", 15, 1)));
    view.mirror.replace(second, &wider, 14, Staged::new());
    assert!(view.text("x").contains("colour"));
}

#[test]
fn an_object_without_the_owner_label_leaves_the_view_of_owned_objects() {
    let mut view = listed(Scope::Owned, [thing("x", 1, 5)]);
    let mut disowned = thing("x", 11, 5);
    disowned["metadata"]["labels"] = serde_json::json!({});
    view.mirror.update_early(&whole(disowned));
    assert_eq!((view.names(), view.changes()), (vec![], vec!["-x".to_owned()]));
}

#[test]
fn an_unavailable_api_server_is_read_from_memory_and_one_that_refuses_is_not() {
    let mut view = listed(Scope::All, [thing("x", 1, 5)]);
    view.mirror.blocked(FIRST, &ReadError::Unavailable { kind: kind(), message: "gone".into() });
    assert_eq!((view.names(), view.changes()), (vec!["x".to_owned()], vec![]));
    view.mirror.blocked(FIRST, &ReadError::NotServed(kind()));
    view.mirror.blocked(FIRST, &ReadError::NotServed(kind()));
    assert_eq!(view.mirror.list(&Selection::default()), Err(ReadError::NotServed(kind())));
    assert_eq!(view.changes(), ["served"], "reported once");
    view.mirror.replace(FIRST, &size(), 20, Staged::new());
    assert_eq!((view.names(), view.changes()), (vec![], vec!["-x".to_owned(), "served".to_owned()]));
}
