//! `istioctl validate` has nothing against what lets traffic out of the mesh.

use mizzen_istio_tests::Istioctl;
use mizzen_istio_tests::egress::emitted;

#[test]
fn every_shape_is_valid() {
    let emitted = emitted().unwrap();
    assert!(emitted.len() > 20, "{}", emitted.len());
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let yaml: Vec<_> = emitted.iter().map(ToString::to_string).collect();
    let said = istioctl.validate(&yaml.join("\n---\n")).unwrap();
    assert!(!said.contains("Error"), "{said}");
}
