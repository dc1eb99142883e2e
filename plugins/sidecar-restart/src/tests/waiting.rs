//! When a restart waits, and that it happens once.

use super::*;

fn deployment(changes: &[(&str, Value)]) -> Value {
    let [mut deployment, _] = cart();
    for (at, value) in changes {
        let (parent, key) = at.rsplit_once('/').unwrap();
        deployment.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    deployment
}

fn marked(mark: &str) -> (&'static str, Value) {
    ("/spec/template/metadata/annotations", json!({MARK: mark}))
}

#[test]
fn a_workload_with_the_mark_is_not_restarted_again() {
    let before = cart_with(&pod(OLD));
    let mark = mark(&before);
    let rolling = with(before, &deployment(&[marked(&mark), ("/status/observedGeneration", json!(0))]));
    let outcome = outcome(&rolling);
    assert_eq!(outcome.patches, []);
    assert_eq!(named(&outcome, "restarting"), ["Deployment shop/cart"]);
}

#[test]
fn a_restart_without_effect_is_reported_and_not_repeated() {
    let before = cart_with(&pod(OLD));
    let mark = mark(&before);
    let mut again = pod(OLD);
    again["metadata"]["annotations"][MARK] = json!(mark);
    for template in [deployment(&[marked(&mark)]), deployment(&[])] {
        let outcome = outcome(&with(with(before.clone(), &again), &template));
        assert_eq!(outcome.patches, [], "also if the mark was removed from the template");
        assert_eq!(named(&outcome, "unhelped"), [format!("Deployment shop/cart (its image is {OLD}, not {NEW})")]);
    }
}

#[test]
fn another_cause_restarts_again_and_keeps_the_first_in_the_mark() {
    let before = cart_with(&pod(OLD));
    let first = mark(&before);
    let mut other = pod(NEW);
    other["spec"]["containers"][1]["resources"]["limits"]["memory"] = json!("4Gi");
    other["metadata"]["annotations"][MARK] = json!(first);
    let second = mark(&with(with(before.clone(), &other), &deployment(&[marked(&first)])));
    assert!(second.starts_with(&first[..16]) && second.len() > first.len(), "{first} {second}");
    let expected = reconciled(&with(before, &deployment(&[marked(&first)])), &json!({}), &json!({"image": "other:2"}));
    assert_eq!(restarted(&expected), ["Deployment cart"], "another expectation is another cause");
}

#[test]
fn the_mark_is_equal_for_equal_expectations_in_any_notation() {
    let cluster = cart_with(&pod(OLD));
    let marked = |config: &Value| reconciled(&cluster, &json!({}), config).patches[0].fragment.clone();
    let plain = marked(&json!({"image": NEW}));
    let resources =
        |cpu: &str| json!({"limits": {"cpu": cpu, "memory": "1Gi"}, "requests": {"cpu": "0.1", "memory": "128Mi"}});
    assert_eq!(marked(&json!({"image": NEW, "defaults": {"resources": resources("2")}})), plain);
    assert_ne!(marked(&json!({"image": NEW, "defaults": {"resources": resources("3")}})), plain);
}

#[test]
fn a_workload_that_is_rolling_out_or_unavailable_is_restarted_later() {
    let cluster = cart_with(&pod(OLD));
    for (changes, why) in [
        (vec![("/status/observedGeneration", json!(0))], "a rollout is in progress"),
        (vec![("/status/updatedReplicas", json!(0))], "a rollout is in progress"),
        (vec![("/status/availableReplicas", json!(0))], "0 of 1 pods are available"),
        (vec![("/spec/paused", json!(true))], "its rollout is paused"),
    ] {
        let outcome = outcome(&with(cluster.clone(), &deployment(&changes)));
        assert_eq!(outcome.patches, [], "{why}");
        assert_eq!(named(&outcome, "pending"), [format!("Deployment shop/cart ({why})")]);
    }
    assert_eq!(restarted(&outcome(&cluster)), ["Deployment cart"]);
}

#[test]
fn a_workload_without_a_ready_pod_is_pending() {
    for (phase, condition) in [("Running", "False"), ("Pending", "True")] {
        let mut unready = pod(OLD);
        unready["status"]["phase"] = json!(phase);
        unready["status"]["conditions"][1]["status"] = json!(condition);
        let outcome = outcome(&cart_with(&unready));
        assert_eq!(outcome.patches, []);
        assert_eq!(named(&outcome, "pending"), ["Deployment shop/cart (none of its pods is ready)"]);
    }
}

#[test]
fn a_stuck_rollout_is_pending_and_does_not_block_the_others() {
    let before = cart_with(&pod(OLD));
    let given_up = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
    let changes = [marked(&mark(&before)), ("/status/conditions", given_up), ("/status/updatedReplicas", json!(0))];
    let mut other = pod(OLD);
    other["metadata"]["name"] = json!("db-0");
    other["metadata"]["ownerReferences"] = json!([owner("apps/v1", "StatefulSet", "db")]);
    let cluster = with(with(before, &deployment(&changes)), &workload("apps/v1", "StatefulSet", "db"));
    let outcome = outcome(&with(cluster, &other));
    assert_eq!(restarted(&outcome), ["StatefulSet db"]);
    assert_eq!(named(&outcome, "pending"), ["Deployment shop/cart (its rollout is stuck)"]);
}

#[test]
fn a_workload_with_on_delete_is_restarted_by_hand() {
    let mut set = workload("apps/v1", "DaemonSet", "cart");
    set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let mut pod = pod(OLD);
    pod["metadata"]["ownerReferences"] = json!([owner("apps/v1", "DaemonSet", "cart")]);
    let outcome = outcome(&with(with(shop(), &set), &pod));
    assert_eq!(outcome.patches, []);
    assert_eq!(named(&outcome, "manual"), ["DaemonSet shop/cart (its update strategy is OnDelete)"]);
}

#[test]
fn a_budget_that_allows_no_disruption_postpones_a_restart() {
    let budget = |namespace: &str, app: &str, allowed: Option<i64>| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "b", "namespace": namespace},
               "spec": {"selector": {"matchLabels": {"app": app}}},
               "status": {"disruptionsAllowed": allowed.unwrap_or(0)}})
    };
    let cluster = cart_with(&pod(OLD));
    let against = outcome(&with(cluster.clone(), &budget("shop", "cart", Some(0))));
    assert_eq!(named(&against, "pending"), ["Deployment shop/cart (PodDisruptionBudget b allows no disruption now)"]);
    assert_eq!(against.patches, []);
    for no_matter in [budget("shop", "cart", Some(1)), budget("shop", "other", None), budget("other", "cart", None)] {
        assert_eq!(restarted(&outcome(&with(cluster.clone(), &no_matter))), ["Deployment cart"], "{no_matter}");
    }
    let unserved = cluster.without_kind(Kind::new("policy/v1", "PodDisruptionBudget"));
    assert_eq!(restarted(&outcome(&unserved)), ["Deployment cart"]);
}

#[test]
fn excluded_workloads_are_not_restarted_and_are_named_in_the_status() {
    let never = json!({"mizzen.dev/restart": "never"});
    let cluster = cart_with(&pod(OLD));
    let mut excluded_pod = pod(OLD);
    excluded_pod["metadata"]["annotations"]["mizzen.dev/restart"] = json!("never");
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "annotations": never}});
    for excluded in [
        deployment(&[("/metadata/annotations", never.clone())]),
        deployment(&[("/spec/template/metadata/annotations", never.clone())]),
        namespace,
        excluded_pod,
    ] {
        let outcome = outcome(&with(cluster.clone(), &excluded));
        assert_eq!((restarted(&outcome), named(&outcome, "excluded")), (vec![], vec!["Deployment shop/cart".into()]));
    }
    let config = json!({"image": NEW, "excludeNamespaces": ["shop"]});
    assert_eq!(reconciled(&cluster, &json!({}), &config).patches, []);
}

#[test]
fn amounts_that_change_again_and_again_are_one_cause() {
    let mut wrong = pod(NEW);
    wrong["spec"]["containers"][1]["resources"]["requests"]["cpu"] = json!("15m");
    let mark = mark(&cart_with(&wrong));
    wrong["metadata"]["annotations"][MARK] = json!(mark);
    for amount in ["37m", "21m", "1"] {
        wrong["spec"]["containers"][1]["resources"]["requests"]["cpu"] = json!(amount);
        let outcome = outcome(&cart_with(&wrong));
        assert_eq!(restarted(&outcome), <[String; 0]>::default(), "{amount}");
        assert_eq!(named(&outcome, "unhelped").len(), 1, "{amount}");
    }
}

#[test]
fn a_restart_that_mended_one_of_two_causes_is_not_repeated_for_the_other() {
    let mut wrong = pod(OLD);
    wrong["spec"]["containers"][1]["resources"]["limits"]["cpu"] = json!("4");
    let mark = mark(&cart_with(&wrong));
    wrong["metadata"]["annotations"][MARK] = json!(mark);
    wrong["spec"]["containers"][1]["image"] = json!(NEW);
    assert_eq!(restarted(&outcome(&cart_with(&wrong))), <[String; 0]>::default());
    wrong["spec"]["containers"][1]["resources"]["limits"]["memory"] = json!("4Gi");
    assert_eq!(restarted(&outcome(&cart_with(&wrong))), ["Deployment cart"], "another field is another cause");
}
