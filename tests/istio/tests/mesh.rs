//! `istioctl validate` finds no fault in the objects of the mesh: the installation, and the
//! settings around it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::sync::Arc;

use mizzen_istio_tests::{Istioctl, documents, lines_without};
use serde_json::{Value, json};
use support::compare::{VERSION, both};
use support::mesh::{around, installed, patched};

/// The output of `istioctl validate`, except for lines about valid objects.
fn faults(istioctl: &Istioctl, objects: &[Value]) -> Vec<String> {
    let output = istioctl.validate(&documents(objects)).unwrap();
    lines_without(&output, &["is valid", "validation succeed"]).into_iter().map(str::to_owned).collect()
}

/// A mesh with every optional part.
fn every_part() -> Value {
    json!({
        "components": {"egressGateway": {"enabled": true}, "cni": {"k8s": {"resources": {"requests": {"cpu": "5m"}}}}},
        "networkPoliciesEnabled": true, "experimental": {"enableAmbient": true, "enableDualStack": true},
        "config": {"numTrustedProxies": 1, "enableDNSProxying": true},
    })
}

#[test]
fn the_installed_objects_are_valid() {
    let Some((client, istioctl)) = both() else { return };
    let client = Arc::new(client);
    for spec in [json!({}), every_part()] {
        let objects = installed(&client, &spec);
        let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
        assert!(of("Deployment") >= 2 && of("Service") >= 2, "they are judged");
        assert_eq!(faults(&istioctl, &objects), Vec::<String>::new(), "{spec}");
        assert_eq!(faults(&istioctl, &patched(&objects)), Vec::<String>::new(), "{spec}");
    }
}

#[test]
fn the_objects_around_the_installation_are_valid() {
    let Some(istioctl) = Istioctl::for_test(VERSION) else { return };
    let objects = around();
    let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
    assert_eq!(["Gateway", "PeerAuthentication", "VirtualService"].map(of), [1, 1, 1], "they are judged");
    assert_eq!(faults(&istioctl, &objects), Vec::<String>::new());
}
