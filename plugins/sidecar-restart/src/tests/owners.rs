//! How workloads of each kind are restarted.

use super::*;

fn owned_by(owner: Option<Value>) -> Value {
    let mut pod = pod(OLD);
    pod["metadata"]["ownerReferences"] = owner.into_iter().collect();
    pod
}

fn cluster(objects: &[Value]) -> Cluster {
    objects.iter().fold(shop(), with)
}

#[test]
fn a_workload_that_rolls_out_changes_is_restarted_by_its_template() {
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        let cluster = match kind {
            "Deployment" => cart_with(&pod(OLD)),
            _ => cluster(&[workload("apps/v1", kind, "cart"), owned_by(Some(owner("apps/v1", kind, "cart")))]),
        };
        let outcome = outcome(&cluster);
        let [patch] = outcome.patches.as_slice() else { panic!("{kind}: {outcome:?}") };
        assert_eq!(
            (&*patch.object.kind.api_version, &*patch.object.kind.name, &*patch.object.name),
            ("apps/v1", kind, "cart")
        );
        assert_eq!(patch.object.namespace.as_deref(), Some("shop"));
        assert_eq!(patch.pace.as_deref(), Some("workloads"));
        let annotations = &patch.fragment["spec"]["template"]["metadata"]["annotations"];
        assert!(annotations[MARK].as_str().is_some_and(|mark| mark.len() > 16), "{annotations}");
        assert!(outcome.deletions.is_empty());
    }
}

#[test]
fn a_workload_with_many_pods_is_restarted_once() {
    let cluster = (0..7).fold(cart_with(&pod(OLD)), |cluster, at| {
        let mut more = pod(OLD);
        more["metadata"]["name"] = json!(format!("cart-1-{at}"));
        with(cluster, &more)
    });
    assert_eq!(restarted(&outcome(&cluster)), ["Deployment cart"]);
}

#[test]
fn pods_of_a_workload_without_rollouts_are_deleted_once_the_template_has_the_mark() {
    for (api_version, kind) in [("apps/v1", "ReplicaSet"), ("v1", "ReplicationController")] {
        let mut set = workload(api_version, kind, "cart");
        let pods = ["b", "a"].map(|name| {
            let mut pod = owned_by(Some(owner(api_version, kind, "cart")));
            pod["metadata"]["name"] = json!(name);
            pod["metadata"]["uid"] = json!(format!("u-{name}"));
            pod
        });
        let before = pods.iter().fold(cluster(&[set.clone()]), with);
        let first = outcome(&before);
        assert_eq!((restarted(&first), first.deletions.len()), (vec![format!("{kind} cart")], 0));
        assert_eq!(first.patches[0].pace, None, "a template that is not rolled out disrupts nothing");
        set["spec"]["template"]["metadata"]["annotations"] = json!({MARK: mark(&before)});
        let then = outcome(&with(before.clone(), &set));
        let [deletion] = then.deletions.as_slice() else { panic!("{then:?}") };
        assert_eq!((&*deletion.object.kind.name, &*deletion.object.name, &*deletion.uid), ("Pod", "a", "u-a"));
        assert_eq!(deletion.pace.as_deref(), Some("workloads"));
        assert_eq!(then.patches, []);

        set["status"]["availableReplicas"] = json!(0);
        let unready = outcome(&with(before, &set));
        assert!(unready.deletions.is_empty(), "its siblings are not ready");
        assert_eq!(named(&unready, "pending"), [format!("{kind} shop/cart (0 of 1 pods are available)")]);
    }
}

#[test]
fn a_pod_that_was_replaced_without_effect_is_not_deleted_again() {
    let owner = owner("apps/v1", "ReplicaSet", "cart");
    let mut set = workload("apps/v1", "ReplicaSet", "cart");
    let before = cluster(&[set.clone(), owned_by(Some(owner.clone()))]);
    let mark = mark(&before);
    set["spec"]["template"]["metadata"]["annotations"] = json!({MARK: mark});
    let mut replaced = owned_by(Some(owner));
    replaced["metadata"]["annotations"][MARK] = json!(mark);
    let outcome = outcome(&cluster(&[set, replaced]));
    assert_eq!((outcome.patches.len(), outcome.deletions.len()), (0, 0));
    assert_eq!(named(&outcome, "unhelped"), [format!("ReplicaSet shop/cart (its image is {OLD}, not {NEW})")]);
}

#[test]
fn a_workload_that_can_not_be_restarted_is_named_and_unchanged() {
    let jobs = owner("batch/v1", "Job", "nightly");
    let rollout = owner("argoproj.io/v1alpha1", "Rollout", "canary");
    let kruise = owner("apps.kruise.io/v1", "StatefulSet", "db");
    let set_of_rollout = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": "canary-1", "namespace": "shop", "ownerReferences": [rollout]}});
    for (objects, expected) in [
        (vec![owned_by(None)], "Pod shop/cart-1-a"),
        (vec![owned_by(Some(jobs))], "Job shop/nightly"),
        (vec![owned_by(Some(rollout.clone()))], "Rollout shop/canary"),
        (vec![set_of_rollout, owned_by(Some(owner("apps/v1", "ReplicaSet", "canary-1")))], "Rollout shop/canary"),
        (vec![owned_by(Some(kruise))], "StatefulSet shop/db"),
    ] {
        let outcome = outcome(&cluster(&objects));
        assert_eq!((outcome.patches.len(), outcome.deletions.len()), (0, 0), "{expected}");
        assert_eq!(named(&outcome, "manual"), [expected]);
    }
}

#[test]
fn an_owner_that_does_not_control_a_pod_is_ignored() {
    let mut bystander = owner("apps/v1", "Deployment", "cart");
    bystander["controller"] = json!(false);
    let outcome = outcome(&cluster(&[workload("apps/v1", "Deployment", "cart"), owned_by(Some(bystander))]));
    assert_eq!((restarted(&outcome), named(&outcome, "manual")), (vec![], vec!["Pod shop/cart-1-a".into()]));
}

#[test]
fn a_deleted_owner_is_not_restarted() {
    for kind in ["ReplicaSet", "StatefulSet"] {
        let outcome = outcome(&cluster(&[owned_by(Some(owner("apps/v1", kind, "gone")))]));
        assert_eq!(outcome.readiness, mizzen_sdk::Readiness::Ready, "{kind}");
    }
}

#[test]
fn a_workload_that_can_not_be_restarted_does_not_block_the_others() {
    let mut alone = owned_by(None);
    alone["metadata"]["name"] = json!("alone");
    let outcome = outcome(&with(cart_with(&pod(OLD)), &alone));
    assert_eq!(
        (restarted(&outcome), named(&outcome, "manual")),
        (vec!["Deployment cart".into()], vec!["Pod shop/alone".into()])
    );
}

#[test]
fn an_owner_of_the_group_that_was_moved_to_apps_is_restarted() {
    let mut objects: Vec<_> = cart().into();
    objects.push(owned_by(Some(owner("extensions/v1beta1", "ReplicaSet", "cart-1"))));
    let outcome = outcome(&cluster(&objects));
    assert_eq!((restarted(&outcome), named(&outcome, "manual")), (vec!["Deployment cart".into()], vec![]));
}

#[test]
fn a_marked_workload_without_rollouts_is_being_restarted_before_its_controller_has_seen_the_mark() {
    let owner = owner("apps/v1", "ReplicaSet", "cart");
    let mut set = workload("apps/v1", "ReplicaSet", "cart");
    let mark = mark(&cluster(&[set.clone(), owned_by(Some(owner.clone()))]));
    set["spec"]["template"]["metadata"]["annotations"] = json!({MARK: mark});
    set["metadata"]["generation"] = json!(2);
    let outcome = outcome(&cluster(&[set, owned_by(Some(owner))]));
    assert_eq!((outcome.patches.len(), outcome.deletions.len()), (0, 0));
    assert_eq!((named(&outcome, "pending"), outcome.status.is_some()), (vec![], true));
}
