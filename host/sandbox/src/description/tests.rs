//! Valid and invalid descriptions.

use super::*;

fn pods() -> types::Kind {
    types::Kind { api_version: "v1".into(), name: "Pod".into() }
}

fn good() -> wit::Description {
    wit::Description {
        name: "good".into(),
        version: "1.0.0-rc.1+3".into(),
        summary: "Does good".into(),
        subject: pods(),
        config_schema: "{}".into(),
        needs: vec![wit::Need { kind: pods(), access: wit::Access::Read, why: "to see".into() }],
        field_sets: vec![set("image", "spec.containers[*].image")],
        credentials: Vec::new(),
        http: Vec::new(),
        renderers: Vec::new(),
        finalizes: false,
    }
}

fn set(name: &str, path: &str) -> wit::FieldSet {
    wit::FieldSet { name: name.into(), kind: pods(), paths: vec![path.into()] }
}

fn refused(description: wit::Description) -> (String, String) {
    let DescriptionError { field, fault } = super::description(description).unwrap_err();
    (field, fault.to_string())
}

#[test]
fn a_valid_description_is_parsed() {
    let description = description(good()).unwrap();
    assert!(description.declares(Access::Read, &model::Kind::new("v1", "Pod")));
    assert!(description.field_sets.contains_key("image"));
}

#[test]
fn an_invalid_field_is_named() {
    let nameless = types::Kind { api_version: String::new(), name: "Pod".into() };
    let need = wit::Need { kind: nameless.clone(), access: wit::Access::Read, why: String::new() };
    let cases = [
        ("name", wit::Description { name: String::new(), ..good() }),
        ("name", wit::Description { name: "two words".into(), ..good() }),
        ("name", wit::Description { name: "\u{1b}[2J".into(), ..good() }),
        ("version", wit::Description { version: "x".repeat(NAME + 1), ..good() }),
        ("subject", wit::Description { subject: nameless, ..good() }),
        ("config-schema", wit::Description { config_schema: "{".into(), ..good() }),
        ("config-schema", wit::Description { config_schema: "7".into(), ..good() }),
        ("needs[0]", wit::Description { needs: vec![need.clone()], ..good() }),
        ("needs", wit::Description { needs: vec![need; DECLARATIONS + 1], ..good() }),
        ("field-sets[0].name", wit::Description { field_sets: vec![set("", "a")], ..good() }),
        ("field-sets.a", wit::Description { field_sets: vec![set("a", "spec..image")], ..good() }),
        ("field-sets.a", wit::Description { field_sets: vec![set("a", "b"), set("a", "c")], ..good() }),
        ("credentials[0]", wit::Description { credentials: vec![String::new()], ..good() }),
    ];
    for (expected, case) in cases {
        let (field, message) = refused(case);
        assert_eq!(field, expected, "{message}");
    }
}

#[test]
fn a_summary_has_no_control_characters() {
    let description = description(wit::Description { summary: "a\u{1b}[2Jb\n".into(), ..good() }).unwrap();
    assert_eq!(description.summary, "a[2Jb");
}
