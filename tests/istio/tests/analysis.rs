//! `istioctl analyze` finds no error in the objects of the plugins together with those of users.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use mizzen_istio_tests::{Level, egress};
use serde_json::{Value, json};
use support::compare::both;
use support::{apis, applications, mesh};

/// Objects of users that the plugins refer to.
const USERS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enabled}}}
---
{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, \
    spec: {selector: {app: cart}, ports: [{name: http, port: 8080}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, \
    spec: {selector: {app: api}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: b, namespace: shop}, \
    spec: {selector: {app: b}, ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: c, namespace: shop}, \
    spec: {selector: {app: c}, ports: [{name: http, port: 80}]}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: component-gateway, namespace: canvas}
spec:
  selector: {istio: ingressgateway}
  servers:
    - port: {number: 443, name: https, protocol: HTTPS}
      hosts: ['*']
      tls: {mode: SIMPLE, credentialName: component-gateway-cert}
";

/// Findings that are not errors, and why they are expected.
const EXPECTED: [(&str, &str); 4] = [
    // Access to a path is enforced at the ingress gateway, whose ports speak HTTP.
    ("IST0133", "AuthorizationPolicy"),
    // Istio has no other configuration for the rate limit of an API.
    ("IST0133", "EnvoyFilter"),
    // The limit is inserted before the router, which always exists: it does not depend on another party's filter.
    ("IST0151", "EnvoyFilter"),
    // A host that is spoken to by plain TCP has no address that is known beforehand: its port is
    // let out, as Dynatrace's operator does.
    ("IST0134", "ServiceEntry"),
];

fn documents() -> Option<(mizzen_istio_tests::Istioctl, Vec<Value>)> {
    let (client, istioctl) = both()?;
    let mut objects = mesh::installed(&Arc::new(client), &json!({}));
    for patched in mesh::patched(&objects) {
        objects.retain(|own| (&own["kind"], &own["metadata"]) != (&patched["kind"], &patched["metadata"]));
        objects.push(patched);
    }
    objects.extend(mesh::around());
    objects.extend(apis::emitted());
    objects.extend(applications::emitted());
    objects.extend(egress::emitted().unwrap());
    objects.extend(mizzen_istio_tests::objects(apis::SERVICE).unwrap());
    objects.extend(mizzen_istio_tests::objects(USERS).unwrap());
    Some((istioctl, objects))
}

#[test]
fn nothing_is_an_error_and_each_warning_is_one_that_is_expected() {
    let Some((istioctl, objects)) = documents() else { return };
    let found = istioctl.analyze(&mizzen_istio_tests::documents(&objects)).unwrap();
    let errors: Vec<_> = found.iter().filter(|own| own.level == Level::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let kind = |origin: &str| origin.split(' ').next().unwrap().to_owned();
    let warned = found.iter().filter(|own| own.level == Level::Warning);
    let warned: BTreeSet<_> = warned.map(|own| (own.code.clone(), kind(&own.origin))).collect();
    let expected = EXPECTED.map(|(code, kind)| (code.to_owned(), kind.to_owned()));
    assert_eq!(warned, BTreeSet::from(expected), "{found:#?}");
}

#[test]
fn a_route_to_a_gateway_that_is_not_there_would_be_an_error() {
    let Some((istioctl, mut objects)) = documents() else { return };
    objects.retain(|own| own["metadata"]["name"] != "component-gateway");
    let found = istioctl.analyze(&mizzen_istio_tests::documents(&objects)).unwrap();
    let routes =
        found.iter().filter(|own| own.level == Level::Error && own.origin.starts_with("VirtualService shop/api"));
    assert_eq!(routes.count(), 7, "{found:#?}");
}
