//! The Gateway of an application's traits.

use super::*;

#[test]
fn an_application_has_one_gateway_with_a_server_for_each_trait() {
    let own =
        json!({"rules": [{"hosts": ["b.example.com"]}, {"hosts": ["c.example.com"]}], "tls": {"secretName": "own"}});
    let cluster = mesh().with(&ingress("web", 1, &hosts(&["shop.example.com"]))).with(&ingress("admin", 2, &own));
    let server = |name: &str, hosts: &Value, credential: &str| {
        json!({
            "name": name,
            "port": {"number": 443, "name": format!("https-{name}"), "protocol": "HTTPS"},
            "hosts": hosts,
            "tls": {"mode": "SIMPLE", "credentialName": credential},
        })
    };
    assert_eq!(
        only(&outcome_in(&cluster), "Gateway"),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "shop-store-gw", "namespace": "shop"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "servers": [
                    server("web", &json!(["shop.example.com"]), "shop.web-cert-secret"),
                    server("admin", &json!(["b.example.com", "c.example.com"]), "own"),
                ],
            },
        })
    );
}

#[test]
fn without_traits_there_is_no_gateway() {
    assert_eq!(wanted(&outcome_in(&mesh()), "Gateway"), Vec::<Value>::new());
}

#[test]
fn the_traits_of_other_applications_and_namespaces_do_not_count() {
    let elsewhere = ingress("web", 1, &hosts(&["a.example.com"])).replace("\"shop\"", "\"yard\"");
    let other = ingress("web", 1, &hosts(&["a.example.com"])).replace("\"store\"", "\"bank\"");
    assert_eq!(wanted(&outcome_in(&mesh().with(&elsewhere).with(&other)), "Gateway"), Vec::<Value>::new());
}

#[test]
fn a_host_of_two_traits_is_served_once_by_the_older_one() {
    let cluster = mesh()
        .with(&ingress("a", 9, &hosts(&["shop.example.com", "a.example.com"])))
        .with(&ingress("b", 1, &hosts(&["shop.example.com"])))
        .with(&ingress("c", 10, &hosts(&["shop.example.com"])));
    let gateway = only(&outcome_in(&cluster), "Gateway");
    let servers: Vec<_> = gateway["spec"]["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| (&server["name"], &server["hosts"]))
        .collect();
    assert_eq!(servers, [(&json!("b"), &json!(["shop.example.com"])), (&json!("a"), &json!(["a.example.com"]))]);
}

#[test]
fn a_trait_with_an_invalid_host_does_not_stop_the_others() {
    for host in ["a b", "localhost", "shop.123"] {
        let cluster =
            mesh().with(&ingress("a", 1, &hosts(&[host]))).with(&ingress("b", 2, &hosts(&["shop.example.com"])));
        let outcome = outcome_in(&cluster);
        let gateway = only(&outcome, "Gateway");
        let servers = gateway["spec"]["servers"].as_array().unwrap();
        assert_eq!((servers.len(), &servers[0]["name"]), (1, &json!("b")), "{host}");
        let Readiness::Warning(why) = &outcome.readiness else { panic!("{:?}", outcome.readiness) };
        let expected = format!(
            "IngressTrait a: `spec.rules[0].hosts`: `{host}` is not a valid host: write one such as `shop.example.com`"
        );
        assert_eq!(*why, expected);
    }
}

#[test]
fn the_certificate_of_a_trait_with_a_long_name_has_a_shortened_name() {
    let (namespace, name) = ("n".repeat(63), "t".repeat(253));
    let own = ingress(&name, 1, &hosts(&["shop.example.com"])).replace("\"shop\"", &format!("\"{namespace}\""));
    let subject = application(&[]).replace("\"shop\"", &format!("\"{namespace}\""));
    let gateway = only(&reconciled(&Cluster::new().with(&own), &subject), "Gateway");
    let credential = gateway["spec"]["servers"][0]["tls"]["credentialName"].as_str().unwrap();
    assert_eq!(credential, mizzen_oam_api::names::credential(&namespace, &name));
    assert!(credential.len() <= 253 && gateway["metadata"]["name"].as_str().unwrap().len() <= 63);
}

#[test]
fn while_traits_are_not_served_the_existing_gateway_stays() {
    let outcome = outcome_in(&mesh().without_kind(Kind::new("oam.verrazzano.io/v1alpha1", "IngressTrait")));
    assert!(outcome.so_far);
    assert_eq!(wanted(&outcome, "AuthorizationPolicy").len(), 1, "the policy of its callers is applied all the same");
}

#[test]
fn without_istio_the_desired_set_is_unknown() {
    let outcome = outcome_in(&mesh().without_kind(Kind::new("networking.istio.io/v1", "Gateway")));
    assert_eq!(outcome.desired, None);
}
