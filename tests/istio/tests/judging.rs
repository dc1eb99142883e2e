//! `istioctl validate` passes what is right and refuses, by name, what is not.

use mizzen_istio_tests::{Istioctl, IstioctlError};

const GATEWAY: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a, namespace: b}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.example.com'], tls: {mode: SIMPLE, credentialName: c}}]
";

#[test]
fn what_is_right_passes() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    istioctl.validate(GATEWAY).unwrap();
}

#[test]
fn what_is_wrong_is_refused_with_the_objects_name_in_any_document() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    for wrong in [("number: 443", "number: 70000"), ("servers:", "serverz:"), ("hosts: ['*.example.com']", "hosts: []")]
    {
        let yaml = format!("{GATEWAY}---\n{}", GATEWAY.replace(wrong.0, wrong.1).replace("name: a", "name: wrong"));
        let Err(IstioctlError::Refused(said)) = istioctl.validate(&yaml) else { unreachable!("it passes {wrong:?}") };
        assert!(said.contains("Gateway/b/wrong"), "{said}");
    }
}
