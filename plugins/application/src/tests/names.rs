//! Names that are not valid for derived objects.

use super::*;

/// The message about an invalid application; existing objects stay.
fn refused(subject: &Value) -> String {
    let outcome = reconciled(&mesh(), &subject.to_string());
    assert_eq!(outcome.desired, None);
    let (status, reason, why) = meshed(&outcome);
    assert_eq!((status, reason), (Some(false), "Invalid"));
    assert_eq!(outcome.readiness, Readiness::Failed(why.to_owned()));
    why.to_owned()
}

fn named(name: &str) -> Value {
    let mut subject: Value = serde_json::from_str(&application(&["cart"])).unwrap();
    subject["metadata"]["name"] = json!(name);
    subject
}

#[test]
fn a_component_with_an_invalid_name_is_refused_and_its_field_named() {
    let long = "c".repeat(64);
    for (components, field) in [
        (json!([{}]), "`spec.components[0]"),
        (json!([{"componentName": "a"}, {"componentName": "a b"}]), "`spec.components[1].componentName`"),
        (json!([{"componentName": ""}]), "`spec.components[0].componentName`"),
        (json!([{"componentName": "Cart"}]), "`spec.components[0].componentName`"),
        (json!([{"componentName": "my_cart"}]), "`spec.components[0].componentName`"),
        (json!([{"componentName": "cart..v1"}]), "`spec.components[0].componentName`"),
        (json!([{"componentName": "cart.-v1"}]), "`spec.components[0].componentName`"),
        (json!([{"componentName": long}]), "`spec.components[0].componentName`"),
        (json!({}), "`spec.components`"),
    ] {
        let mut subject = named("store");
        subject["spec"]["components"] = components;
        let why = refused(&subject);
        assert!(why.starts_with(field), "{why}");
    }
}

#[test]
fn an_application_with_an_invalid_name_is_refused_and_its_field_named() {
    let why = refused(&named(&"a".repeat(64)));
    assert!(why.starts_with("`metadata.name`: ") && why.contains("`app.oam.dev/name`"), "{why}");
    for good in ["a".repeat(63), "store.v1".to_owned()] {
        assert_eq!(reconciled(&mesh(), &named(&good).to_string()).readiness, Readiness::Ready, "{good}");
    }
}

#[test]
fn an_application_named_default_does_not_adopt_the_default_account() {
    let why = refused(&named("default"));
    assert!(
        why.starts_with("`metadata.name`: ServiceAccount `default` is the default of the whole namespace"),
        "{why}"
    );
}
