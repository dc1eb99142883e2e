use std::sync::Arc;

use mizzen_cluster::{Apply, Cluster, Target};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::Live;
use crate::fake::{FakeRequest, Reply, link, refusal};

/// The Lease objects of an API server, and whether it responds.
#[derive(Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    is_down: bool,
    watchers: Vec<futures::channel::mpsc::UnboundedSender<Value>>,
}

impl Server {
    fn reply(&mut self, request: &FakeRequest) -> Reply {
        if self.is_down {
            return Reply::Broken;
        }
        if request.is_watch() {
            let (sender, lines) = futures::channel::mpsc::unbounded();
            self.watchers.push(sender);
            return Reply::Lines(lines);
        }
        match (&*request.method, &self.lease) {
            ("GET", Some(lease)) => Reply::Json(200, lease.clone()),
            ("GET" | "PUT", None) => refusal(404, "not found"),
            ("POST", Some(_)) => refusal(409, "already exists"),
            ("PUT", Some(lease))
                if request.body["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] =>
            {
                refusal(409, "the object has been modified")
            }
            ("POST" | "PUT", _) => {
                self.version += 1;
                let mut lease = request.body.clone();
                lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.lease = Some(lease.clone());
                let event = json!({"type": "MODIFIED", "object": lease});
                self.watchers.retain(|watcher| watcher.unbounded_send(event.clone()).is_ok());
                Reply::Json(200, lease)
            }
            (method, _) => Reply::Json(200, json!({"kind": "Status", "method": method})),
        }
    }
}

/// A link to the server.
fn host(server: &Arc<Mutex<Server>>) -> Link {
    let server = Arc::clone(server);
    link(move |request| server.lock().reply(&request))
}

fn options(identity: &str) -> LeaseOptions {
    LeaseOptions { namespace: Some("mizzen-system".into()), name: "mizzen".into(), identity: identity.into() }
}

async fn until(leadership: &Leadership, standing: Standing) {
    leadership.standing.clone().wait_for(|own| *own == standing).await.unwrap();
}

/// Lets time pass. The clock is virtual: nothing waits.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// A host that holds the Lease, and one that follows, after some renewals.
struct TwoHosts {
    first: Link,
    second: Link,
    holder: Leadership,
    follower: Leadership,
}

impl TwoHosts {
    async fn on(server: &Arc<Mutex<Server>>) -> Self {
        Self::with(host(server), host(server)).await
    }

    async fn with(first: Link, second: Link) -> Self {
        let holder = Leadership::start(&first, options("a"));
        until(&holder, Standing::Holder).await;
        let follower = Leadership::start(&second, options("b"));
        pass(Duration::from_secs(20)).await;
        Self { first, second, holder, follower }
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_hosts_one_holds_the_lease_and_only_it_may_write() {
    let TwoHosts { first, second, holder, follower } = TwoHosts::on(&Arc::default()).await;
    pass(Duration::from_mins(2)).await;
    assert_eq!((holder.standing(), follower.standing()), (Standing::Holder, Standing::Follower));
    assert!(first.admit_write().is_ok());
    assert!(second.admit_write().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_claimed_in_less_than_a_second() {
    let server = Arc::default();
    let TwoHosts { first, holder, follower, .. } = TwoHosts::on(&server).await;
    let begun = Instant::now();
    holder.release().await;
    assert!(first.admit_write().is_err());
    until(&follower, Standing::Holder).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(server.lock().lease.as_ref().unwrap()["spec"]["holderIdentity"], "b");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_a_host_that_died_is_claimed_when_it_expires() {
    let TwoHosts { holder, follower, .. } = TwoHosts::on(&Arc::default()).await;
    holder.run.abort();
    let begun = Instant::now();
    until(&follower, Standing::Holder).await;
    let gap = begun.elapsed();
    assert!(gap > TIMING.renew_deadline && gap <= TIMING.duration + TIMING.retry_period, "{gap:?}");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_the_api_server_does_not_answer_stops_before_another_host_holds_the_lease() {
    let (server, reachable) = (Arc::<Mutex<Server>>::default(), Arc::new(Mutex::new(true)));
    let (server_of_first, reachable_of_first) = (Arc::clone(&server), Arc::clone(&reachable));
    let first = link(
        move |request| {
            if *reachable_of_first.lock() { server_of_first.lock().reply(&request) } else { Reply::Broken }
        },
    );
    let TwoHosts { first, holder, follower, .. } = TwoHosts::with(first, host(&server)).await;
    *reachable.lock() = false;
    until(&holder, Standing::Lost).await;
    assert!(first.admit_write().is_err());
    assert_eq!(follower.standing(), Standing::Follower);
    until(&follower, Standing::Holder).await;
}

#[tokio::test(start_paused = true)]
async fn a_holder_survives_an_outage_that_is_shorter_than_the_renew_deadline() {
    let server = Arc::<Mutex<Server>>::default();
    let a = Leadership::start(&host(&server), options("a"));
    until(&a, Standing::Holder).await;
    server.lock().is_down = true;
    pass(Duration::from_secs(6)).await;
    server.lock().is_down = false;
    pass(Duration::from_mins(1)).await;
    assert_eq!(a.standing(), Standing::Holder);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_another_host_took_is_lost() {
    let server = Arc::<Mutex<Server>>::default();
    let first = host(&server);
    let a = Leadership::start(&first, options("a"));
    until(&a, Standing::Holder).await;
    {
        let mut server = server.lock();
        let lease = server.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!("b");
        lease["metadata"]["resourceVersion"] = json!("1000");
    }
    until(&a, Standing::Lost).await;
    assert!(first.admit_write().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_follower_sends_no_write_and_reads_on() {
    let server = Arc::<Mutex<Server>>::default();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (backend, log) = (Arc::clone(&server), Arc::clone(&requests));
    let second = link(move |request| {
        log.lock().push((request.method.clone(), request.path.clone()));
        backend.lock().reply(&request)
    });
    let a = Leadership::start(&host(&server), options("a"));
    until(&a, Standing::Holder).await;
    let _b = Leadership::start(&second, options("b"));
    let live = Live::over(second);
    let document = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "a"}});
    let apply = Apply { manager: "m", document: &document, target: Target::Object, force: false };
    assert!(live.apply(apply).await.is_err());
    pass(Duration::from_mins(1)).await;
    assert!(requests.lock().iter().all(|(method, _)| method == "GET"), "{:?}", requests.lock());
}
