//! Several operators on one cluster: one reconciles, and another takes over when it ends.

use std::path::Path;
use std::time::{Duration, Instant};

use kube::api::ListParams;
use mizzen_e2e::{Objects, Operator, TestGroup, eventually, plugins, shipped_cluster};
use mizzen_testcluster::{ControlPlane, Verb};

const MANY: usize = 300;
const NAMESPACE: &str = "components";

/// How long a Lease lasts that is neither renewed nor released.
const LEASE: Duration = Duration::from_secs(15);

/// How many writes a host sends at once: those may be on their way when it is killed.
const IN_FLIGHT: u64 = 32;

async fn converged(objects: &Objects) {
    eventually("every API is ready", async || objects.ready_apis(NAMESPACE).await == MANY).await;
    eventually("every API has its route", async || objects.count_routes(NAMESPACE).await == MANY).await;
}

/// Two operators; the first one leads.
async fn two(cluster: &ControlPlane, plugins: &Path) -> (Operator, Operator) {
    let leader = Operator::electing(&cluster.kubeconfig_path(), plugins).await;
    eventually("the first operator leads", async || leader.leads().await).await;
    (leader, Operator::electing(&cluster.kubeconfig_path(), plugins).await)
}

/// How many applies of routes the API server accepted.
async fn applied_routes(cluster: &ControlPlane) -> u64 {
    cluster.writes().await.unwrap().of_resource("virtualservices").of_verb(Verb::Apply).total()
}

/// How often the content of the routes has changed, with their creation.
async fn changes_of_routes(objects: &Objects) -> u64 {
    let routes = objects.routes(NAMESPACE).list(&ListParams::default()).await.unwrap();
    routes.items.iter().map(|route| route.metadata.generation.unwrap().unsigned_abs()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_is_killed_another_operator_finishes_its_work() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = shipped_cluster().await else { return };
    let plugins = plugins();
    let (leader, follower) = two(&cluster, plugins.path()).await;
    objects.create_apis(NAMESPACE, MANY).await;
    eventually("some routes are there", async || objects.count_routes(NAMESPACE).await > MANY / 10).await;
    assert!(!follower.leads().await);
    assert_eq!(follower.calls("").await, 0, "a follower calls no plugin");
    leader.kill().await;
    let takeover = eventually("the follower leads", async || follower.leads().await).await;
    println!("takeover after kill -9: {takeover:?}");
    converged(&objects).await;
    follower.settled().await;
    // The API server may have carried out an apply whose client was killed before it counted that as accepted.
    let (applied, changed) = (applied_routes(&cluster).await, changes_of_routes(&objects).await);
    println!("routes: {MANY}, accepted applies: {applied}, changes of content: {changed}");
    assert!(applied <= changed + IN_FLIGHT, "{applied} applies for {changed} changes");
    follower.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_shuts_down_hands_over_before_its_lease_expires() {
    let _group = TestGroup::enter(module_path!());
    let Some((cluster, objects)) = shipped_cluster().await else { return };
    let plugins = plugins();
    let (leader, follower) = two(&cluster, plugins.path()).await;
    objects.create_apis(NAMESPACE, MANY).await;
    converged(&objects).await;
    leader.settled().await;
    let before = cluster.writes().await.unwrap();
    let begun = Instant::now();
    leader.stop().await;
    eventually("the follower leads", async || follower.leads().await).await;
    let handover = begun.elapsed();
    println!("handover after SIGTERM: {handover:?}");
    assert!(handover < LEASE / 2, "{handover:?}");
    follower.settled().await;
    // The status of a Reconciler follows its reconciles within a second, and may be the first leader's.
    let since = cluster.writes().await.unwrap().since(&before).without_heartbeats();
    let since = since.only(|write| write.resource != "reconcilers");
    assert_eq!(since.total(), 0, "the new leader finds everything as it should be: {since}");
    follower.stop().await;
}
