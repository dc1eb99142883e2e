//! Every field of an API and its effect: none is ignored silently.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

/// The effect of a field.
#[derive(Debug)]
enum Fate {
    /// It affects objects or the status.
    Done,
    /// It has no effect, and the condition `Supported` names it by this text.
    Named(&'static str),
    /// It only describes the API.
    Describes,
}

use Fate::{Describes, Done, Named};

/// A Service with endpoints, so that limits need not wait.
fn served() -> Cluster {
    mesh().with(&slice("s", "[{}]")).with(
        "{apiVersion: v1, kind: Service, metadata: {name: catalog, namespace: shop}, \
         spec: {selector: {app: catalog}, ports: [{port: 8080}]}}",
    )
}

/// Each field of the definition, a value, and the effect.
fn table() -> Vec<(&'static str, Value, Fate)> {
    let auth = json!({"username": {"name": "a", "key": "name"}, "password": {"name": "a", "key": "word"}});
    vec![
        ("name", json!("another"), Describes),
        ("apiType", json!("prometheus"), Done),
        ("implementation", json!("orders"), Done),
        ("path", json!("/b"), Done),
        ("port", json!(8081), Done),
        ("specification", json!([{"url": "https://a.example.com", "version": "v4"}]), Describes),
        ("developerUI", json!("/a/docs"), Done),
        ("resources", json!(["/cats"]), Describes),
        ("required", json!(true), Describes),
        ("template", json!("gold"), Named("template")),
        // It is in the component's status: see the reconciler `component-status`.
        ("segment", json!("managementFunction"), Describes),
        ("apiKeyVerification", json!({"enabled": true, "location": "header"}), Named("apiKeyVerification")),
        ("rateLimit", json!({"enabled": true, "limit": "1", "interval": "pm"}), Done),
        ("rateLimit", json!({"enabled": true, "limit": "1", "identifier": "ip"}), Named("rateLimit.identifier")),
        ("quota", json!({"limit": "100"}), Named("quota")),
        ("quota", json!({"identifier": "ip"}), Named("quota")),
        ("OASValidation", json!({"requestEnabled": true}), Named("OASValidation.requestEnabled")),
        ("OASValidation", json!({"responseEnabled": true}), Named("OASValidation.responseEnabled")),
        ("CORS", json!({"enabled": true, "allowOrigins": "https://a.example.com"}), Done),
        ("hostname", json!("a.example.com"), Done),
        ("basicAuth", auth, Named("basicAuth")),
    ]
}

#[test]
fn every_field_has_an_effect_or_is_named_or_only_describes() {
    let plain = outcome_in(&served(), &json!({}));
    for (field, value, fate) in table() {
        let outcome = outcome_in(&served(), &json!({field: value}));
        let (supported, reason, message) = condition(&outcome, "Supported");
        let does = outcome.desired != plain.desired || outcome.status != plain.status;
        match fate {
            Done => assert!(does && supported == Some(true), "{field}: {value}: {message}"),
            Named(name) => {
                assert_eq!((supported, reason.as_str()), (Some(false), "Unsupported"), "{field}: {value}");
                assert!(message.contains(name), "{field}: {message}");
                assert!(matches!(&outcome.readiness, Readiness::Warning(why) if why.contains(name)));
                assert!(!does, "{field}: it is published nevertheless, and nothing of it is done by halves");
            }
            Describes => assert!(!does && supported == Some(true), "{field}: {value}: {message}"),
        }
    }
}

#[test]
fn disabled_or_empty_fields_have_no_effect() {
    let off = json!({"apiKeyVerification": {"enabled": false}, "quota": {"limit": "", "identifier": ""},
        "OASValidation": {},
                     "template": "", "CORS": {"enabled": false}, "rateLimit": {"enabled": false, "identifier": "ip"}});
    let (plain, outcome) = (outcome_in(&served(), &json!({})), outcome_in(&served(), &off));
    assert_eq!((&outcome.desired, &outcome.conditions), (&plain.desired, &plain.conditions));
}

#[test]
fn the_table_has_every_field_of_every_definition() {
    let listed: BTreeSet<_> = table().into_iter().map(|(field, ..)| field).collect();
    let mut fields = BTreeSet::from(["template".to_owned()]);
    for file in ["exposedapis.oda.tmforum.org.yaml", "apis.oda.tmforum.org.yaml"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples/crds").join(file);
        for version in mizzen_model::yaml::load(&file).unwrap()[0].value["spec"]["versions"].as_array().unwrap() {
            let spec = &version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
            fields.extend(spec.as_object().into_iter().flat_map(|fields| fields.keys().cloned()));
        }
    }
    assert_eq!(listed, fields.iter().map(String::as_str).collect());
}

#[test]
fn metrics_found_by_annotations_are_scraped_without_a_secret_and_that_is_reported() {
    let auth = json!({"username": {"name": "a", "key": "name"}, "password": {"name": "a", "key": "word"}});
    let subject = api(&json!({"apiType": "prometheus", "basicAuth": auth}));
    let supported_with = |style: &str| {
        let config = json!({"openMetrics": style});
        let outcome = testing::reconcile::<ApiOperator>(&served(), &subject, &config).unwrap();
        condition(&outcome, "Supported")
    };
    assert_eq!(supported_with("ServiceMonitor").0, Some(true));
    let (supported, _, message) = supported_with("Annotations");
    assert!(supported == Some(false) && message.contains("annotations of Pods can't name a Secret"), "{message}");
}
