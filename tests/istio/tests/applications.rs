//! `istioctl validate` finds no fault in the objects of `application` and `application-ingress`,
//! for every field of a trait.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use mizzen_istio_tests::{Istioctl, documents, lines_without};
use support::applications::{emitted, protected};

/// Its output, except for lines about valid objects and two expected warnings: a policy of paths
/// denies traffic to ports of plain TCP, as the README says; and a path within another one of its
/// rule has the same destination, and exists for its policy.
fn faults(output: &str) -> Vec<&str> {
    let harmless = [
        "validation succeed",
        "will deny all traffic to TCP ports under its scope",
        "is not used (duplicate/overlapping match in rule",
    ];
    lines_without(output, &harmless)
}

#[test]
fn istioctl_finds_no_fault_in_the_objects_of_applications() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let objects = emitted();
    let of = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
    let kinds = ["Gateway", "VirtualService", "DestinationRule", "AuthorizationPolicy"].map(of);
    assert_eq!(kinds, [1, 4, 2, 4], "everything is judged");
    assert_eq!(faults(&istioctl.validate(&documents(&objects)).unwrap()), Vec::<&str>::new());
}

#[test]
fn a_route_that_names_its_gateway_with_a_dot_would_be_a_fault() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let mut objects = emitted();
    objects.retain(|object| object["kind"] == "VirtualService");
    objects[0]["spec"]["gateways"][0] = "shop-store.v1-gw".into();
    let output = istioctl.validate(&documents(&objects)).unwrap();
    assert!(matches!(faults(&output)[..], [fault] if fault.contains("legacy gatewayName")), "{output}");
}

#[test]
fn each_certificate_is_in_the_secret_that_the_gateway_names() {
    let objects = emitted();
    let of = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
    let servers: Vec<_> = of("Gateway").flat_map(|gateway| gateway["spec"]["servers"].as_array().unwrap()).collect();
    let mut shortened = 0;
    for certificate in of("Certificate") {
        let secret = &certificate["spec"]["secretName"];
        let server = servers.iter().find(|server| server["hosts"] == certificate["spec"]["dnsNames"]).unwrap();
        assert_eq!(server["tls"]["credentialName"], *secret);
        shortened += usize::from(!secret.as_str().unwrap().ends_with("-cert-secret"));
    }
    assert_eq!(shortened, 1, "a name that is too long is among them");
}

#[test]
fn every_accepted_value_of_a_condition_is_valid_for_istio() {
    let Some(istioctl) = Istioctl::for_test("1.31.1") else { return };
    let long = "a".repeat(321);
    let (mut passed, mut refused) = (0, 0);
    for (key, values) in [
        ("source.ip", &["192.0.2.1", "192.0.2.0/24", "192.0.2.0/33", "192.0.2.0/08", "192.0.2", "*"][..]),
        ("remote.ip", &["2001:db8::/32", "::1", "::ffff:192.0.2.1", "::1/129", "example.com"]),
        ("destination.ip", &["0.0.0.0/0", "0.0.0.0/", "10.0.0.0/8/8", "010.0.0.1"]),
        ("destination.port", &["0", "65535", "0080", "65536", "+80", "-1", "http", "80-90"]),
        ("source.serviceAccount", &["web", "shop/web", "a/b/c", "shop/", "/web", "shop/*", &long]),
        ("source.namespace", &["shop", "*"]),
        ("connection.sni", &["*.example.com"]),
        ("request.headers[x-tenant]", &["a*"]),
        ("request.headers[]", &["a"]),
        ("request.auth.claims[a][b]", &["x"]),
        ("destination.labels[app]", &["x"]),
        ("destination.name", &["x"]),
        ("request.colour", &["red"]),
    ] {
        for value in values {
            let Some(objects) = protected(key, value) else {
                refused += 1;
                continue;
            };
            istioctl.validate(&documents(&objects)).unwrap_or_else(|error| panic!("{key} {value}: {error}"));
            passed += 1;
        }
    }
    assert_eq!((passed, refused), (16, 23));
}
