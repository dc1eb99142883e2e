//! `istioctl validate` finds no fault in the objects of `api-operator`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use mizzen_istio_tests::{Istioctl, documents, lines_without};
use support::apis::emitted;

/// Its output, except for lines about valid objects and the general warning about filters of Envoy.
fn faults(output: &str) -> Vec<&str> {
    let harmless = ["exposes internal implementation details", "is valid", "validation succeed"];
    lines_without(output, &harmless)
}

#[test]
fn the_objects_that_publish_an_api_are_valid() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let all = emitted();
    assert_eq!(all.iter().filter(|object| object["kind"] == "EnvoyFilter").count(), 2);
    assert_eq!(faults(&istioctl.validate(&documents(&all)).unwrap()), Vec::<&str>::new());
}

#[test]
fn a_limit_with_a_field_that_envoy_does_not_know_would_be_a_fault() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let mut all = emitted();
    all.retain(|object| object["kind"] == "EnvoyFilter");
    let settings = &mut all[0]["spec"]["configPatches"][0]["patch"]["value"]["typed_config"];
    settings["token_buckets"] = settings["token_bucket"].take();
    let output = istioctl.validate(&documents(&all)).unwrap();
    assert!(faults(&output)[0].contains("unknown field \"token_buckets\""), "{output}");
}
