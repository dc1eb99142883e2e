//! Projections to field sets.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::canonical;

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cart", "namespace": "shop", "uid": "1", "annotations": {"a.b/c": "x", "d": "y"}},
        "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "i"}, {"name": "b"}]},
    })
}

#[test]
fn the_identity_is_always_kept() {
    let kept = Fields::parse(["spec.nodeName"]).unwrap().project(&pod());
    assert_eq!(
        kept,
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart", "namespace": "shop", "uid": "1"},
               "spec": {"nodeName": "n1"}})
    );
}

#[test]
fn each_element_of_a_list_keeps_its_place() {
    let kept = Fields::parse(["spec.containers[*].image"]).unwrap().project(&pod());
    assert_eq!(kept["spec"]["containers"], json!([{"image": "i"}, {}]));
}

#[test]
fn only_the_elements_with_a_text_are_kept() {
    let fields = Fields::parse(["spec.containers[name=a].image", "spec.containers[name=c].image"]).unwrap();
    let kept = fields.project(&pod());
    assert_eq!(kept["spec"]["containers"], json!([{"name": "a", "image": "i"}]));
    assert_eq!(fields.project(&kept), kept, "what was projected is projected again for each reader");
    let whole = Fields::parse(["spec.containers[name=b]"]).unwrap().project(&pod());
    assert_eq!(whole["spec"]["containers"], json!([{"name": "b"}]));
    let none = Fields::parse(["spec.containers[name=z].image"]).unwrap().project(&pod());
    assert_eq!(none["spec"]["containers"], json!([]), "a list that is there stays visible");
}

#[test]
fn some_elements_can_keep_more_fields_than_others() {
    let some = Fields::parse(["spec.containers[name=a].image"]).unwrap();
    let each = Fields::parse(["spec.containers[*].name"]).unwrap();
    let both = some.union(&each);
    assert_eq!(both.project(&pod())["spec"]["containers"], json!([{"name": "a", "image": "i"}, {"name": "b"}]));
    assert!(both.covers(&some) && both.covers(&each) && !some.covers(&each) && !each.covers(&some));
    assert_eq!(some.project(&both.project(&pod())), some.project(&pod()));
    let all = Fields::parse(["spec.containers[*].name", "spec.containers[*].image"]).unwrap();
    assert!(all.covers(&some) && !some.covers(&all));
}

#[test]
fn a_key_with_dots_is_written_in_brackets() {
    let kept = Fields::parse(["metadata.annotations['a.b/c']"]).unwrap().project(&pod());
    assert_eq!(kept["metadata"]["annotations"], json!({"a.b/c": "x"}));
}

#[test]
fn a_union_covers_both_and_whole_covers_all() {
    let a = Fields::parse(["spec.containers[*].image"]).unwrap();
    let b = Fields::parse(["spec.nodeName", "spec.containers[*].name"]).unwrap();
    let union = a.union(&b);
    assert!(union.covers(&a) && union.covers(&b) && !a.covers(&b));
    assert!(Fields::Whole.covers(&union) && !union.covers(&Fields::Whole));
    assert!(Fields::parse(["spec"]).unwrap().covers(&Fields::parse(["spec.nodeName"]).unwrap()));
}

#[test]
fn an_invalid_path_shows_a_valid_one() {
    assert!(matches!(Fields::parse(["spec..x"]), Err(PathError::EmptyStep(_))));
    assert!(matches!(Fields::parse(["spec.a[0]"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse(["spec.a[=x]"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse(["spec.a[b=x"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse([""]), Err(PathError::EmptyStep(_))));
    assert!(matches!(Fields::parse(["a[*]b"]), Err(PathError::Bracket(_))));
    let steps = Fields::parse(["a.".repeat(1 << 20)]).unwrap_err();
    assert_eq!(steps.to_string(), "a field path has 2097152 bytes; the limit is 1024");
}

#[test]
fn a_path_is_displayed_as_it_was_written() {
    for path in ["a", "a.b[*].c", "a['b.c/d'].e[*][*]", "a[name=x].b"] {
        let parsed = FieldPath::parse(path).unwrap();
        assert_eq!((&*parsed.to_string(), FieldPath::parse(&parsed.to_string())), (path, Ok(parsed)));
    }
}

#[test]
fn a_set_has_its_paths_and_everything_below_them() {
    let fields = Fields::parse(["spec.http", "spec.tls[*].sni", "spec.ports[name=web].host"]).unwrap();
    let contains = |path: &str| fields.contains(&FieldPath::parse(path).unwrap());
    for held in ["spec.http", "spec.http[*].name", "spec.tls[*].sni", "spec.ports[name=web].host"] {
        assert!(contains(held), "{held}");
    }
    // The field that identifies the element is not one of the given fields.
    for other in ["spec", "spec.tls", "spec.tls[*].port", "spec.tls[name=a].sni", "spec.ports[*].host", "status"] {
        assert!(!contains(other), "{other}");
    }
    assert!(Fields::Whole.contains(&FieldPath::parse("spec.x").unwrap()));
}

/// Documents of a few keys and texts, so that paths often match.
fn document() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![Just(Value::Null), any::<i8>().prop_map(Value::from), "[a\"é]".prop_map(Value::from)];
    scalar.prop_recursive(4, 32, 4, |below| {
        prop_oneof![
            prop::collection::vec(below.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"]", below, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn fields() -> impl Strategy<Value = Fields> {
    let step = prop_oneof![3 => Just("a"), 3 => Just("b"), 1 => Just("['\"']"), 2 => Just("[*]"), 2 => Just("[a=a]")];
    let path = prop::collection::vec(step, 1..4).prop_map(|steps| {
        let path: String = steps
            .iter()
            .map(|step| if step.starts_with('[') { (*step).to_owned() } else { format!(".{step}") })
            .collect();
        format!("spec{path}")
    });
    prop::collection::vec(path, 0..4).prop_map(|paths| Fields::parse(paths).unwrap())
}

proptest! {
    #[test]
    fn of_a_text_as_much_is_kept_as_of_its_tree(below in document(), fields in fields()) {
        let document = json!({"spec": below, "x": 1});
        let text = canonical::text(&document);
        prop_assert_eq!(fields.project_text(&text), canonical::text(&fields.project(&document)));
    }
}
