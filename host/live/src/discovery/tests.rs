use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::*;
use crate::fake::{FakeRequest, Reply, link, next_change, refusal, things};

fn kind() -> Kind {
    Kind::new("mizzen.dev/v1", "Thing")
}

/// A discovery that runs, and the changes that it reports.
fn discovery(
    reply: impl Fn(FakeRequest) -> Reply + Send + Sync + 'static,
) -> (Arc<Discovery>, mizzen_cluster::Changes, tokio::task::JoinSet<()>) {
    let subscribers = Arc::new(Subscribers::default());
    let changes = subscribers.subscribe();
    let discovery = Arc::new(Discovery::new(link(reply), subscribers));
    let keeper = discovery.clone();
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move { keeper.run().await });
    (discovery, changes, task)
}

/// An API server that serves `Thing` while the switch is on, and forbids reading CRDs.
fn switched() -> (Arc<AtomicBool>, impl Fn(FakeRequest) -> Reply + Send + Sync + 'static) {
    let switch = Arc::new(AtomicBool::new(false));
    let on = switch.clone();
    let reply = move |request: FakeRequest| match request.path.as_str() {
        "/apis/mizzen.dev/v1" if on.load(Ordering::SeqCst) => things(),
        "/apis/mizzen.dev/v1" => refusal(404, "404 page not found"),
        _ => refusal(403, "no"),
    };
    (switch, reply)
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_was_not_served_is_found_once_it_is() {
    let (served, reply) = switched();
    let (discovery, mut changes, _task) = discovery(reply);
    assert_eq!(discovery.facts(&kind()).await, Err(ReadError::NotServed(kind())));
    served.store(true, Ordering::SeqCst);
    assert_eq!(next_change(&mut changes).await, "served");
    let facts = discovery.facts(&kind()).await.unwrap();
    assert_eq!((facts.plural.as_str(), facts.namespaced, facts.status_subresource), ("things", true, true));
    assert!(!facts.conditions_by_type, "its CRD may not be read");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_served_any_longer_is_reported_after_a_recheck() {
    let (served, reply) = switched();
    served.store(true, Ordering::SeqCst);
    let (discovery, mut changes, _task) = discovery(reply);
    discovery.facts(&kind()).await.unwrap();
    discovery.recheck("mizzen.dev");
    served.store(false, Ordering::SeqCst);
    assert_eq!(next_change(&mut changes).await, "served");
    assert_eq!(discovery.facts(&kind()).await, Err(ReadError::NotServed(kind())));
}

#[tokio::test(start_paused = true)]
async fn a_failing_api_server_does_not_make_a_kind_unserved() {
    let failing = Arc::new(AtomicBool::new(false));
    let (fails, (failed, mut failures)) = (failing.clone(), tokio::sync::mpsc::unbounded_channel());
    let (discovery, mut changes, _task) = discovery(move |request| match request.path.as_str() {
        "/apis/mizzen.dev/v1" if fails.load(Ordering::SeqCst) => {
            failed.send(()).unwrap();
            refusal(503, "starting")
        }
        "/apis/mizzen.dev/v1" => things(),
        _ => refusal(403, "no"),
    });
    discovery.facts(&kind()).await.unwrap();
    failing.store(true, Ordering::SeqCst);
    discovery.recheck("mizzen.dev");
    // The second check follows the evaluation of the first.
    failures.recv().await.unwrap();
    failures.recv().await.unwrap();
    assert!(discovery.facts(&kind()).await.is_ok() && changes.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_api_server_is_not_one_that_does_not_serve_the_kind() {
    let (discovery, _changes, _task) = discovery(|_| Reply::Broken);
    assert!(matches!(discovery.facts(&kind()).await, Err(ReadError::Unavailable { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_crd_says_whether_conditions_are_by_type() {
    let (discovery, _changes, _task) = discovery(|request| match request.path.as_str() {
        "/apis/mizzen.dev/v1" => things(),
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.mizzen.dev" => {
            let conditions = json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]});
            let schema = json!({"properties": {"status": {"properties": {"conditions": conditions}}}});
            let version = json!({"name": "v1", "schema": {"openAPIV3Schema": schema}});
            Reply::Json(200, json!({"spec": {"versions": [version]}}))
        }
        _ => refusal(403, "no"),
    });
    assert!(discovery.facts(&kind()).await.unwrap().conditions_by_type);
}

#[tokio::test(start_paused = true)]
async fn look_ups_of_kinds_that_are_not_served_cost_few_requests_and_little_memory() {
    let requests = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    // Not run: without the repeated checks, every request is one of a look-up.
    let discovery = Discovery::new(
        link(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            refusal(404, "404 page not found")
        }),
        Arc::default(),
    );
    for _ in 0..100 {
        assert_eq!(discovery.facts(&kind()).await, Err(ReadError::NotServed(kind())));
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    tokio::time::sleep(ABSENT).await;
    assert_eq!(discovery.facts(&kind()).await, Err(ReadError::NotServed(kind())));
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    for at in 0..2 * KINDS {
        drop(discovery.facts(&Kind::new(format!("g{at}.example/v1"), "X")).await);
    }
    assert!(discovery.cache.lock().kinds.len() <= KINDS);
}
