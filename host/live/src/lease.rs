//! Leader election by a Lease: of several hosts with one Lease, one writes, and the others keep their
//! views up to date and wait.
//!
//! The rules are client-go's ([`Election`]), with its default times. A holder that can't renew the
//! Lease stops writing by its own clock before another host may claim it ([`Fence`]); a follower
//! watches the Lease, so that a released one is claimed at once.
//!
//! `kube-lease-manager` offers the same, but claims an expired Lease without a precondition: of two
//! followers that do so at once, both believe for a moment to be the holder.

mod election;
mod record;

use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::ObjectMeta;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::election::{Election, TIMING};
use self::record::Record;
use crate::fence::Fence;
use crate::link::{Fault, Link, Timeout};

/// How long one request about the Lease may take: two of them fit into the renew deadline.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// Seconds that a follower's watch lasts at most.
const WATCH_SECONDS: u32 = 60;

/// Which Lease, and who claims it.
#[derive(Clone, Debug)]
pub struct LeaseOptions {
    /// Its namespace. `None`: the pod's or kubeconfig's.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The name of this host, unique among all of them.
    pub identity: String,
}

/// Whether this host holds the Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Another host does, or none yet.
    Follower,
    /// It does, and may write.
    Holder,
    /// It did, and may write no more. It has to end: what it remembers may be outdated.
    Lost,
}

/// This host's part in an election. Dropping it ends the renewals.
pub struct Leadership {
    standing: watch::Receiver<Standing>,
    release: mpsc::Sender<()>,
    run: JoinHandle<()>,
}

/// Claims, renews and releases a Lease.
struct Elector {
    link: Link,
    path: String,
    name: String,
    namespace: String,
    election: Election,
    /// The version of the Lease object that was read last.
    version: Option<String>,
    fence: Fence,
    standing: watch::Sender<Standing>,
}

/// What a step of the election ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Continue,
    Release,
}

// === impl Leadership ===

impl Leadership {
    /// Starts as a follower. From now on `fence` is open only while the Lease is held.
    pub(crate) fn start(link: &Link, options: LeaseOptions) -> Self {
        let fence = link.fence().clone();
        fence.close();
        let LeaseOptions { namespace, name, identity } = options;
        let namespace = link.namespace_or_default(namespace);
        let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let (standing, watched) = watch::channel(Standing::Follower);
        let (release, released) = mpsc::channel(1);
        let election = Election::new(identity, TIMING);
        let link = link.unfenced();
        let elector = Elector { link, path, name, namespace, election, version: None, fence, standing };
        Self { standing: watched, release, run: tokio::spawn(elector.run(released)) }
    }

    /// Whether this host holds the Lease.
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// The next change of the standing. Never completes once it can't change any more.
    pub async fn changed(&mut self) -> Standing {
        if self.standing.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.standing.borrow_and_update()
    }

    /// Stops writing and frees the Lease, if this host holds it. Another host claims it at once.
    pub async fn release(self) {
        // The elector has ended when the Lease is lost.
        let _ = self.release.send(()).await;
        drop(self.run.await);
    }
}

// === impl Elector ===

impl Elector {
    async fn run(mut self, mut released: mpsc::Receiver<()>) {
        loop {
            // At the end of its term a holder stops, whatever it waits for.
            let end = self.election.held_until();
            let step = self.step(&mut released);
            let step = match end {
                Some(end) => tokio::time::timeout_at(end, step).await.unwrap_or(Step::Continue),
                None => step.await,
            };
            if step == Step::Release {
                return self.release().await;
            }
            let holds = self.holds();
            let before = *self.standing.borrow();
            match before {
                Standing::Follower if holds => self.won(),
                Standing::Holder if !holds => return self.lost(),
                _ => {}
            }
        }
    }

    /// Waits until something is due, and does it.
    async fn step(&mut self, released: &mut mpsc::Receiver<()>) -> Step {
        if self.election.due(Instant::now()) <= Instant::now() {
            self.attempt().await;
            return Step::Continue;
        }
        tokio::select! {
            _ = released.recv() => Step::Release,
            () = self.wait() => Step::Continue,
        }
    }

    fn won(&self) {
        tracing::info!(lease = %self.lease(), "this host holds the Lease: reconciling");
        self.standing.send_replace(Standing::Holder);
    }

    fn lost(&self) {
        self.fence.close();
        let holder = self.election.holder().unwrap_or_default();
        tracing::error!(lease = %self.lease(), holder, "this host lost the Lease");
        self.standing.send_replace(Standing::Lost);
    }

    /// Tries to claim or renew the Lease.
    async fn attempt(&mut self) {
        if self.version.is_none() {
            self.refresh().await;
            if self.election.due(Instant::now()) > Instant::now() {
                return;
            }
        }
        let sent = Instant::now();
        self.election.attempt(sent);
        match self.write(&self.election.claim(Timestamp::now())).await {
            Ok(lease) => {
                self.read(Some(lease));
                self.fence.open(self.election.hold(sent));
            }
            // Another host was faster, or the object was deleted.
            Err(Fault::Refused(status)) if [404, 409].contains(&status.code) => {
                self.version = None;
                self.refresh().await;
            }
            Err(error) => tracing::warn!(%error, lease = %self.lease(), "failed to claim or renew the Lease"),
        }
    }

    /// Waits until the next attempt is due or, as a follower, until the Lease changes.
    async fn wait(&mut self) {
        let due = self.election.due(Instant::now());
        if self.holds() {
            return tokio::time::sleep_until(due).await;
        }
        // On any event, and when the watch ends, the Lease is read: what counts is the object.
        let changed = async {
            let version = self.version.as_deref().unwrap_or_default();
            match self.link.watch_named(&self.path, &self.name, WATCH_SECONDS, version).await {
                Ok(mut events) => drop(events.next().await),
                Err(_) => tokio::time::sleep(TIMING.retry_period).await,
            }
        };
        if tokio::time::timeout_at(due, changed).await.is_ok() {
            self.refresh().await;
        }
    }

    async fn refresh(&mut self) {
        match self.timely(self.link.get::<Lease>(&format!("{}/{}", self.path, self.name))).await {
            Ok(lease) => self.read(Some(lease)),
            Err(Fault::Refused(status)) if status.code == 404 => self.read(None),
            Err(error) => {
                self.election.attempt(Instant::now());
                tracing::warn!(%error, lease = %self.lease(), "failed to read the Lease");
            }
        }
    }

    fn read(&mut self, lease: Option<Lease>) {
        self.election.observe(lease.as_ref().map(Record::of), Instant::now());
        self.version = lease.and_then(|lease| lease.metadata.resource_version);
    }

    /// Writes a record, unless the Lease has changed since it was read.
    async fn write(&self, record: &Record) -> Result<Lease, Fault> {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                resource_version: self.version.clone(),
                ..ObjectMeta::default()
            },
            spec: Some(record.spec()),
        };
        let written = async {
            match &self.version {
                Some(_) => self.link.replace(&self.path, &self.name, &lease).await,
                None => self.link.create(&self.path, &lease).await,
            }
        };
        self.timely(written).await
    }

    async fn timely<T>(&self, response: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let late = |_| Err(self.link.no_response(Timeout(REQUEST_TIMEOUT)));
        tokio::time::timeout(REQUEST_TIMEOUT, response).await.unwrap_or_else(late)
    }

    async fn release(&mut self) {
        self.fence.close();
        let Some(record) = self.election.release(Timestamp::now()) else { return };
        if let Err(error) = self.write(&record).await {
            tracing::warn!(%error, lease = %self.lease(), "failed to release the Lease: it expires");
        }
    }

    /// Whether this host may write now, by the last record and by its own clock.
    fn holds(&self) -> bool {
        self.election.holds() && self.fence.admit(Instant::now()).is_ok()
    }

    fn lease(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests;
