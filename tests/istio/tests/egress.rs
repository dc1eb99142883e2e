//! `istioctl validate` finds no fault in the objects for traffic out of the mesh.

use mizzen_istio_tests::egress::emitted;
use mizzen_istio_tests::{Istioctl, documents};

#[test]
fn every_shape_is_valid() {
    let emitted = emitted().unwrap();
    assert!(emitted.len() > 20, "{}", emitted.len());
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let output = istioctl.validate(&documents(&emitted)).unwrap();
    assert!(!output.contains("Error"), "{output}");
}
