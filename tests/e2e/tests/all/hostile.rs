//! Hostile plugins beside the shipped reconcilers, on a real API server: the shipped ones keep converging.

use std::time::{Duration, Instant};

use mizzen_e2e::{Objects, Operator, TestGroup, apply, condition, eventually, guests, plugins, shipped_cluster};
use serde_json::json;

const APIS: usize = 200;

/// A word of each plugin's last error.
const ERRORS: [(&str, &str); 10] = [
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
async fn hostile_plugins_end_at_their_limits_and_the_others_keep_converging() {
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
    for (guest, _) in ERRORS.into_iter().chain([("endless-describe", ""), ("secret-reader", "")]) {
        // A longer time for the others, so that their own limit ends them on a busy machine too.
        let time = if guest == "endless-loop" { "300ms" } else { "5s" };
        let reconciler = json!({"apiVersion": "mizzen.dev/v1alpha1", "kind": "Reconciler", "metadata": {"name": guest},
            "spec": {"component": {"file": format!("{guest}.wasm")},
                "subject": {"apiVersion": "v1", "kind": "ConfigMap"}, "limits": {"time": time, "memory": "16Mi",
                "reads": 1000}}});
        apply(&objects.reconcilers(), &reconciler).await;
    }
    let beside_them = converge(&objects, "canvas").await;
    let ratio = beside_them.as_secs_f64() / alone.as_secs_f64();
    println!(
        "{APIS} APIs converged in {alone:?} alone and in {beside_them:?} beside hostile plugins: {ratio:.2} times"
    );

    for (guest, word) in ERRORS {
        let what = format!("the status of {guest} contains `{word}`");
        eventually(&what, async || last_error(&objects, guest).await.contains(word)).await;
    }
    let timed_out = operator.metric("mizzen_calls_total", &["endless-loop", "DeadlineExceeded"]).await;
    assert!(timed_out > 0);
    for (guest, word) in [("endless-describe", "describe"), ("secret-reader", "v1 Secret")] {
        eventually("a plugin that does not load has a condition with the reason", async || {
            let reconciler = objects.reconcilers().get(guest).await.unwrap();
            condition(&reconciler, "Loaded")
                .is_some_and(|found| found.status == "False" && found.message.contains(word))
        })
        .await;
    }
    let roles = objects.of("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles");
    assert!(roles.get_opt("everything").await.unwrap().is_none());
    assert!(operator.runs());
    operator.stop().await;
}
