//! What the client renders is what `istioctl manifest generate` of the same Go module prints, object by object.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::collections::BTreeMap;

use mizzen_istio_tests::{Istioctl, identity, objects};
use serde_json::{Value, json};
use support::Client;

const VERSION: &str = "1.31.1";

/// Both, or none where Go is missing.
fn both() -> Option<(Client, Istioctl)> {
    Client::for_test(VERSION).zip(Istioctl::for_test(VERSION))
}

/// By identity; each must be there once.
fn by_identity(all: Vec<Value>) -> BTreeMap<String, Value> {
    let count = all.len();
    let by: BTreeMap<_, _> = all.into_iter().map(|object| (identity(&object), object)).collect();
    assert_eq!(by.len(), count, "an object is there twice");
    by
}

/// Renders in both, and compares.
fn compare(client: &Client, istioctl: &Istioctl, operator: &Value, case: &str) -> BTreeMap<String, Value> {
    let answer = client.render(operator);
    assert_eq!(answer.told("error"), [], "{case}");
    let ours = by_identity(answer.items);
    let theirs = by_identity(istioctl.generate(operator).unwrap_or_else(|error| panic!("{case}: {error}")));
    let names = |objects: &BTreeMap<String, Value>| objects.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{case}: not the same objects");
    for (name, theirs) in &theirs {
        assert_eq!(&ours[name], theirs, "{case}: {name}");
    }
    ours
}

#[test]
fn every_profile_is_rendered_as_istioctl_renders_it() {
    let Some((client, istioctl)) = both() else { return };
    for (profile, at_least) in [("default", 39), ("minimal", 33), ("demo", 42), ("empty", 0), ("ambient", 44)] {
        let operator = json!({
            "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {"profile": profile},
        });
        let rendered = compare(&client, &istioctl, &operator, profile);
        assert!(rendered.len() >= at_least, "{profile}: {} objects", rendered.len());
    }
}

#[test]
fn every_field_of_the_custom_resource_is_rendered_as_istioctl_renders_it_and_makes_a_difference() {
    let Some((client, istioctl)) = both() else { return };
    let plain = json!({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": {}});
    let plain = by_identity(client.render(&plain).items);
    let mut cases: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/cases")).unwrap().collect();
    cases.sort_by_key(|case| case.as_ref().unwrap().path());
    assert!(!cases.is_empty());
    for case in cases {
        let path = case.unwrap().path();
        let case = path.file_stem().unwrap().to_string_lossy().into_owned();
        for operator in objects(&std::fs::read_to_string(&path).unwrap()).unwrap() {
            let rendered = compare(&client, &istioctl, &operator, &case);
            assert_ne!(rendered, plain, "{case} makes no difference: {operator}");
        }
    }
}
