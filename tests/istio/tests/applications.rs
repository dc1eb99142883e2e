//! `istioctl validate` finds no fault with what `application` and `application-ingress` emit, whatever a trait asks for.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use mizzen_istio_tests::Istioctl;
use support::applications::emitted;

#[test]
fn istioctl_finds_no_fault_with_what_is_made_of_applications() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let objects = emitted();
    let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
    let kinds = ["Gateway", "VirtualService", "DestinationRule", "AuthorizationPolicy"].map(of);
    assert_eq!(kinds, [1, 4, 2, 4], "everything is judged");
    let yaml = objects.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n---\n");
    let said = istioctl.validate(&yaml).unwrap();
    assert!(!said.to_lowercase().contains("warning"), "{said}");
}
