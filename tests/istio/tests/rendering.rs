//! The client renders what `istioctl manifest generate` of the same Go module prints, object by
//! object.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use mizzen_istio_tests::objects;
use serde_json::json;
use support::compare::{both, by_identity, compare};

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
fn every_setting_of_the_cases_is_rendered_as_istioctl_renders_it_and_makes_a_difference() {
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
