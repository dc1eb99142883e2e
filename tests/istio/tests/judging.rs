//! `istioctl validate` accepts valid objects and names invalid ones; `istioctl analyze` finds
//! objects that do not work together.

use mizzen_istio_tests::{Istioctl, IstioctlError, Level};

const GATEWAY: &str = "
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a, namespace: b}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*.example.com'], \
      tls: {mode: SIMPLE, credentialName: c}}]
";

#[test]
fn a_valid_document_is_accepted() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    istioctl.validate(GATEWAY).unwrap();
}

#[test]
fn an_invalid_object_in_any_document_is_refused_by_name() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    for wrong in [("number: 443", "number: 70000"), ("servers:", "serverz:"), ("hosts: ['*.example.com']", "hosts: []")]
    {
        let yaml = format!("{GATEWAY}---\n{}", GATEWAY.replace(wrong.0, wrong.1).replace("name: a", "name: wrong"));
        let Err(IstioctlError::Refused(message)) = istioctl.validate(&yaml) else {
            unreachable!("{wrong:?} is accepted")
        };
        assert!(message.contains("Gateway/b/wrong"), "{message}");
    }
}

#[test]
fn a_reference_to_a_missing_object_is_found_with_the_name_of_its_object() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let route = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: route, namespace: b}\n\
                 spec: {hosts: [shop.example.com], gateways: [gone], http: [{route: [{destination: {host: shop}}]}]}\n";
    let found = istioctl.analyze(&format!("{GATEWAY}---\n{route}")).unwrap();
    let gone = found.iter().find(|own| own.message.contains("gone")).unwrap();
    assert_eq!(
        (gone.level, &*gone.code, &*gone.origin),
        (Level::Error, "IST0101", "VirtualService b/route"),
        "{gone:?}"
    );
}

#[test]
fn a_document_that_can_not_be_read_is_an_error() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let Err(IstioctlError::Refused(message)) = istioctl.analyze("kind: [") else { unreachable!("it is skipped") };
    assert!(message.contains("Error(s) adding files"), "{message}");
}
