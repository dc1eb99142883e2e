//! Hostile guests beside the shipped reconcilers, on a real API server: the others go on converging all the while.

use std::time::{Duration, Instant};

use mizzen_e2e::{Objects, Operator, TestGroup, apply, condition, eventually, guests, plugins, shipped_cluster};
use serde_json::json;

const APIS: usize = 200;

/// What each guest's Reconciler says of it: a word of its last error, or, where it does not load, of its condition.
const ENDS: [(&str, &str); 10] = [
    ("endless-loop", "`time`"),
    ("memory-bomb", "`memory`"),
    ("stack-overflow", "stack"),
    ("endless-host-calls", "`reads`"),
    ("huge-outcome", "`memory`"),
    ("invalid-json", "not JSON"),
    ("deep-json", "recursion"),
    ("panics", "trapped"),
    ("ungranted-kind", "ClusterRole"),
    ("undeclared-read", ""),
];

async fn converge(objects: &Objects, namespace: &str) -> Duration {
    let since = Instant::now();
    objects.create_apis(namespace, APIS).await;
    eventually("every API is ready", async || objects.ready_apis(namespace).await == APIS).await;
    since.elapsed()
}

async fn last_error(objects: &Objects, name: &str) -> String {
    let reconciler = objects.reconcilers().get(name).await.unwrap();
    reconciler.data["status"]["lastError"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_guests_end_at_their_limits_and_the_others_go_on() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = shipped_cluster().await else { return };
    let plugins = plugins();
    guests(plugins.path());
    let mut operator = Operator::start(&cluster.kubeconfig_path(), plugins.path()).await;
    let alone = converge(&objects, "components").await;

    let maps = objects.within("canvas", "v1", "ConfigMap", "configmaps");
    for at in 0..20 {
        apply(&maps, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("bait-{at}")}}))
            .await;
    }
    for (guest, _) in ENDS.into_iter().chain([("endless-describe", ""), ("secret-reader", "")]) {
        // Where the time is not what ends a guest, it must not end it first on a machine that is busy with other things.
        let time = if guest == "endless-loop" { "300ms" } else { "5s" };
        let reconciler = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Reconciler", "metadata": {"name": guest},
            "spec": {"component": {"file": format!("{guest}.wasm")}, "limits": {"time": time, "memory": "16Mi", "reads": 1000}}});
        apply(&objects.reconcilers(), &reconciler).await;
    }
    let among_them = converge(&objects, "canvas").await;
    let ratio = among_them.as_secs_f64() / alone.as_secs_f64();
    println!("{APIS} APIs converged in {alone:?} alone and in {among_them:?} among hostile guests: {ratio:.2} times");

    for (guest, word) in ENDS {
        let what = format!("the status of {guest} says `{word}`");
        eventually(&what, async || last_error(&objects, guest).await.contains(word)).await;
    }
    let asked = operator.metric("mizzen_calls_total", &["endless-loop", "DeadlineExceeded"]).await;
    assert!(asked > 0);
    for (guest, word) in [("endless-describe", "describe"), ("secret-reader", "v1 Secret")] {
        eventually("what does not load says why", async || {
            let reconciler = objects.reconcilers().get(guest).await.unwrap();
            condition(&reconciler, "Loaded")
                .is_some_and(|(status, _, message)| status == "False" && message.contains(word))
        })
        .await;
    }
    let roles = objects.of("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles");
    assert!(roles.get_opt("everything").await.unwrap().is_none());
    assert!(operator.runs());
    operator.stop().await;
}
