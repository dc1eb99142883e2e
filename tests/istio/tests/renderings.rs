//! Renderings of the client in the sandbox: equal for equal inputs, with each version's images, and
//! with a message instead of a crash.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in what its cases share")]

mod support;

use mizzen_istio_tests::{Istioctl, IstioctlError, identity};
use serde_json::{Value, json};
use support::{Client, Rendering};

const VERSION: &str = "1.31.1";
const OLDER: &str = "1.31.0";

fn operator(spec: &Value) -> Value {
    json!({"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec})
}

/// Every image of the workloads, including the proxy's from the injector's values.
fn images(rendering: &Rendering) -> Vec<String> {
    let workloads = rendering.items.iter().filter(|object| object.pointer("/spec/template/spec/containers").is_some());
    let containers = workloads.flat_map(|object| object["spec"]["template"]["spec"]["containers"].as_array().unwrap());
    let mut images: Vec<_> = containers.map(|container| container["image"].as_str().unwrap().to_owned()).collect();
    let injector = rendering
        .items
        .iter()
        .find(|object| identity(object) == "v1 ConfigMap istio-system/istio-sidecar-injector")
        .unwrap();
    let values: Value = serde_json::from_str(injector["data"]["values"].as_str().unwrap()).unwrap();
    let global = &values["global"];
    images.push(format!("{}/proxyv2:{}", global["hub"].as_str().unwrap(), global["tag"].as_str().unwrap()));
    images.retain(|image| image != "auto");
    images
}

#[test]
fn two_versions_can_be_used_together_and_each_has_its_own_images() {
    let Some((older, newer)) = Client::for_test(OLDER).zip(Client::for_test(VERSION)) else { return };
    let spec = operator(&json!({"components": {"cni": {"enabled": true}}}));
    for (client, version) in [(older, OLDER), (newer, VERSION)] {
        let rendering = client.render(&spec);
        let images = images(&rendering);
        for name in ["pilot", "install-cni", "proxyv2"] {
            assert!(images.contains(&format!("docker.io/istio/{name}:{version}")), "{version}: {images:?}");
        }
        assert!(images.iter().all(|image| image.ends_with(version)), "{version}: {images:?}");
        let label = "/metadata/labels/operator.istio.io~1version";
        assert!(rendering.items.iter().filter_map(|object| object.pointer(label)).all(|label| label == version));
    }
}

#[test]
fn equal_documents_have_equal_renderings_whatever_the_clock_and_random_numbers() {
    let Some(client) = Client::for_test(VERSION) else { return };
    let operator = operator(&json!({"profile": "demo", "components": {"pilot": {"k8s": {
        "replicaCount": 2, "env": [{"name": "A", "value": "1"}], "nodeSelector": {"a": "b"},
        "podAnnotations": {"c": "d"},
        "resources": {"requests": {"cpu": "1"}},
    }}}}));
    // Each call has a later time and other random numbers, by which Go orders its maps.
    let first = client.render(&operator).text;
    for _ in 0..4 {
        assert!(client.render(&operator).text == first, "two renderings");
    }
}

#[test]
fn a_panic_in_istios_code_is_a_result() {
    let Some(client) = Client::for_test(VERSION) else { return };
    let rendering = client.render(&operator(&json!({"values": {"global": 3}})));
    let messages = rendering.messages("error");
    assert!(messages.len() == 1 && messages[0].1.contains("panicked on this document"), "{messages:?}");
    assert_eq!(rendering.items.len(), 0);
}

#[test]
fn input_that_is_not_a_resource_list_is_an_error_with_its_reason() {
    let Some(client) = Client::for_test(VERSION) else { return };
    for input in ["", "{}", "kind: [", "\u{0}", "{\"apiVersion\": \"v1\", \"kind\": \"List\"}"] {
        let rendering = client.call(input);
        assert_eq!((rendering.items.len(), rendering.messages("error").len()), (0, 1), "{input:?}: {}", rendering.text);
    }
}

#[test]
fn files_are_refused_by_the_name_of_the_field() {
    let Some(client) = Client::for_test(VERSION) else { return };
    let messages = client.render(&operator(&json!({"installPackagePath": "/etc"}))).messages("error");
    assert_eq!(messages.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(), ["spec.installPackagePath"]);
}

#[test]
fn the_client_refuses_documents_that_istioctl_refuses_and_names_the_field() {
    let Some((client, istioctl)) = Client::for_test(VERSION).zip(Istioctl::for_test(VERSION)) else { return };
    let wrong = [
        (json!({"profile": "nope"}), "spec.profile"),
        (json!({"tag": "a b"}), "spec.tag"),
        (json!({"meshConfig": {"trustDomain": "A B"}}), "spec.meshConfig.trustDomain"),
        (json!({"components": {"pilott": {}}}), "spec.components.pilott"),
        (json!({"components": {"pilot": {"k8s": {"replicaCount": "x"}}}}), "spec.components.pilot.k8s.replicaCount"),
        (
            json!({"values": {"global": {"proxy": {"includeIPRanges": "1.2"}}}}),
            "spec.values.global.proxy.includeIPRanges",
        ),
    ];
    for (spec, field) in wrong {
        let operator = operator(&spec);
        let Err(IstioctlError::Refused(_)) = istioctl.generate(&operator) else { panic!("istioctl renders {spec}") };
        let rendering = client.render(&operator);
        assert_eq!(rendering.items.len(), 0, "{spec}");
        assert_eq!(
            rendering.messages("error").first().map(|(path, _)| path.as_str()),
            Some(field),
            "{spec}: {:?}",
            rendering.results
        );
    }
}

#[test]
fn a_warning_accompanies_the_rendered_objects() {
    let Some(client) = Client::for_test(VERSION) else { return };
    let spec = json!({"meshConfig": {"defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_AUTO_ALLOCATE": "true"}}}});
    let rendering = client.render(&operator(&spec));
    let messages = rendering.messages("warning");
    assert!(messages.len() == 1 && messages[0].1.contains("deprecated"), "{messages:?}");
    assert!(!rendering.items.is_empty());
}
