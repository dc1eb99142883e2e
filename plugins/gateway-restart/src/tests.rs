//! When the gateway is restarted, and when not.

use mizzen_sdk::Readiness;
use mizzen_sdk::testing::{self, Cluster};
use serde_json::Value;

use super::*;

fn gateway(made_with: Option<&str>, restarted_for: Option<&str>) -> Value {
    let mut gateway = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "istio-ingressgateway", "namespace": "istio-system", "generation": 1},
        "spec": {"replicas": 1, "template": {"metadata": {}}},
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    });
    if let Some(inputs) = made_with {
        gateway["metadata"]["annotations"] = json!({MADE_WITH: inputs});
    }
    if let Some(inputs) = restarted_for {
        gateway["spec"]["template"]["metadata"]["annotations"] = json!({RESTARTED_FOR: inputs});
    }
    gateway
}

fn reconciled(gateway: Option<&Value>, inputs: &Value, config: &Value) -> Outcome {
    let cluster = gateway.iter().fold(Cluster::new(), |cluster, gateway| cluster.with(&gateway.to_string()));
    let istio = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Istio",
                       "metadata": {"name": "default", "namespace": "istio-system"}, "spec": {"config": inputs}});
    testing::reconcile::<GatewayRestart>(&cluster, &istio.to_string(), config).unwrap()
}

fn outcome(gateway: &Value, inputs: &Value) -> Outcome {
    reconciled(Some(gateway), inputs, &json!({}))
}

/// The annotation's value for these inputs.
fn value(inputs: &Value) -> String {
    let outcome = outcome(&gateway(None, None), inputs);
    outcome.patches[0].fragment["metadata"]["annotations"][MADE_WITH].as_str().unwrap().to_owned()
}

fn written(outcome: &Outcome) -> Option<&str> {
    let [patch] = outcome.patches.as_slice() else { return None };
    patch.fragment["spec"]["template"]["metadata"]["annotations"][RESTARTED_FOR].as_str()
}

#[test]
fn each_of_the_four_inputs_restarts_the_gateway_when_it_is_set_changed_or_unset() {
    for (name, one, other) in [
        ("numTrustedProxies", json!(1), json!(2)),
        ("forwardClientCertDetails", json!("SANITIZE"), json!("SANITIZE_SET")),
        ("trustDomain", json!("a.example.com"), json!("b.example.com")),
        ("proxyStatsMatcher", json!({"inclusionRegexps": ["a"]}), json!({"inclusionRegexps": []})),
    ] {
        let states = [json!({}), json!({name: one}), json!({name: other})];
        for before in &states {
            for after in &states {
                for known in [gateway(Some(&value(before)), None), gateway(Some("old"), Some(&value(before)))] {
                    let outcome = outcome(&known, after);
                    let expected = (before != after).then(|| value(after));
                    assert_eq!(written(&outcome), expected.as_deref(), "{before} {after}");
                    assert_eq!(outcome.patches.len(), usize::from(before != after));
                    if before != after {
                        assert_eq!(outcome.patches[0].reason, format!("restarted: {name} changed"));
                    }
                }
            }
        }
    }
}

#[test]
fn other_settings_restart_nothing() {
    let known = gateway(None, Some(&value(&json!({}))));
    let outcome = outcome(&known, &json!({"enableDNSProxying": true, "gatewayExternalTrafficPolicy": "Local"}));
    assert_eq!((outcome.patches.len(), outcome.events.len(), outcome.readiness), (0, 0, Readiness::Ready));
}

#[test]
fn a_new_gateway_is_noted_and_not_restarted() {
    let outcome = outcome(&gateway(None, None), &json!({"numTrustedProxies": 2}));
    let [patch] = outcome.patches.as_slice() else { panic!("{outcome:?}") };
    assert!(patch.fragment.get("spec").is_none(), "a template that changes is a restart");
    assert_eq!((outcome.events.len(), outcome.readiness), (0, Readiness::Ready));
}

#[test]
fn a_gateway_without_noted_settings_can_be_restarted_once() {
    let config = json!({"restartUnknown": true});
    let first = reconciled(Some(&gateway(None, None)), &json!({}), &config);
    let mark = written(&first).unwrap();
    assert_eq!(reconciled(Some(&gateway(None, Some(mark))), &json!({}), &config).patches, []);
}

#[test]
fn a_missing_gateway_is_ready() {
    let outcome = reconciled(None, &json!({"numTrustedProxies": 2}), &json!({}));
    assert_eq!((outcome.patches.len(), outcome.readiness), (0, Readiness::Ready));
}

#[test]
fn an_annotation_written_by_hand_is_another_state() {
    for by_hand in ["", "x", "a.b.c.d.e"] {
        let outcome = outcome(&gateway(None, Some(by_hand)), &json!({}));
        assert_eq!(written(&outcome), Some("unset.unset.unset.unset"), "{by_hand}");
    }
}

#[test]
fn a_restart_has_a_reason_and_the_configured_pace() {
    let known = gateway(Some(&value(&json!({}))), None);
    let inputs = json!({"numTrustedProxies": 2, "trustDomain": "a"});
    let outcome = reconciled(Some(&known), &inputs, &json!({"pace": "gateways"}));
    assert_eq!(outcome.patches[0].reason, "restarted: numTrustedProxies, trustDomain changed");
    assert_eq!(outcome.events, [], "the host publishes an event when it disrupts a workload");
    assert_eq!(outcome.patches[0].pace.as_deref(), Some("gateways"));
    assert_eq!(reconciled(Some(&known), &inputs, &json!({})).patches[0].pace, None);
}

#[test]
fn a_restart_is_ready_when_the_gateway_is_rolled_out() {
    let mut restarted = gateway(None, Some(&value(&json!({}))));
    assert_eq!(outcome(&restarted, &json!({})).readiness, Readiness::Ready);
    restarted["metadata"]["generation"] = json!(2);
    assert!(matches!(outcome(&restarted, &json!({})).readiness, Readiness::Progressing(_)));
    restarted["status"] = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1,
                                 "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]});
    assert!(matches!(outcome(&restarted, &json!({})).readiness, Readiness::Warning(_)));
}

#[test]
fn another_gateway_can_be_configured() {
    let config = json!({"namespace": "edge", "name": "gateway"});
    assert_eq!(reconciled(Some(&gateway(None, None)), &json!({}), &config).patches, []);
}
