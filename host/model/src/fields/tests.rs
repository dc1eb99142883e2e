//! What a set of fields keeps of an object.

use serde_json::json;

use super::*;

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
fn only_the_elements_that_have_a_text_are_kept() {
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
fn some_elements_can_keep_more_than_the_others() {
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
fn a_bad_path_says_what_a_good_one_looks_like() {
    assert!(matches!(Fields::parse(["spec..x"]), Err(PathError::EmptyStep(_))));
    assert!(matches!(Fields::parse(["spec.a[0]"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse(["spec.a[=x]"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse(["spec.a[b=x"]), Err(PathError::Bracket(_))));
    assert!(matches!(Fields::parse([""]), Err(PathError::EmptyStep(_))));
    assert!(matches!(Fields::parse(["a[*]b"]), Err(PathError::Bracket(_))));
}
