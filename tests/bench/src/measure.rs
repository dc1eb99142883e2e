//! One run of one operator on a new control plane: many APIs exist at its start, more are created at a fixed rate.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource, ResourceExt};
use mizzen_bench::{resource, service_monitor_kind, virtual_service_kind};
use mizzen_testcluster::{ControlPlane, Verb, Write, WriteCounts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::mesh_cluster::{NAMESPACE, create_apis, objects, start};
use crate::operator::{Kind, Operator};

/// How long a run may take.
const LONGEST: Duration = Duration::from_mins(15);

/// The load: the number of APIs at the start, and of those that are created later at a rate per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) arrivals: usize,
    pub(crate) rate: u32,
}

/// The figures of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figures {
    /// From the operator's start to the last status of the first APIs.
    pub(crate) seconds: f64,
    /// CPU time for that.
    pub(crate) cpu_seconds: f64,
    /// From the creation of an API that arrived later to its `VirtualService` being seen by a watch; the median.
    pub(crate) p50_millis: f64,
    /// The same; the 99th percentile.
    pub(crate) p99_millis: f64,
    /// CPU time for all later APIs.
    pub(crate) arrivals_cpu_seconds: f64,
    /// Resident memory at the end.
    pub(crate) rss_mib: f64,
    /// The maximum of that.
    pub(crate) peak_rss_mib: f64,
    /// The number of writes.
    pub(crate) writes: u64,
    /// The number of refused writes.
    pub(crate) writes_refused: u64,
    /// The writes by kind.
    pub(crate) writes_of: BTreeMap<String, u64>,
}

/// The result of an operator: routes, monitors and statuses by name, without fields that differ between operators.
pub(crate) type State = BTreeMap<String, Value>;

/// An observed text, with its time.
pub(crate) type Seen = mpsc::UnboundedReceiver<(String, Instant)>;

/// Runs an operator.
pub(crate) async fn run(kind: Kind, load: Load) -> anyhow::Result<(Figures, State)> {
    let cluster = start().await?;
    let client = cluster.client()?;
    create_apis(&client, "there", load.count, None).await?;
    let mut ready = watch_ready(&client);
    let before = cluster.writes().await?;

    let started = Instant::now();
    let mut operator = Operator::start(kind, &cluster.kubeconfig_path())?;
    collect(&mut ready, load.count, &mut operator).await?;
    let (seconds, cpu_seconds) = (started.elapsed().as_secs_f64(), operator.cpu_seconds()?);

    at_rest(&cluster).await?;
    let mut routes = watch_routes(client.clone());
    collect(&mut routes, load.count, &mut operator).await?;
    let cpu_before = operator.cpu_seconds()?;
    let created = create_apis(&client, "late", load.arrivals, Some(load.rate));
    let (created, seen) = tokio::try_join!(created, collect(&mut routes, load.arrivals, &mut operator))?;
    collect(&mut ready, load.arrivals, &mut operator).await?;
    let arrivals_cpu_seconds = operator.cpu_seconds()? - cpu_before;
    at_rest(&cluster).await?;

    let latencies = latencies(&created, &seen);
    let written = operators_own(&cluster.writes().await?.since(&before));
    let figures = Figures {
        seconds,
        cpu_seconds,
        p50_millis: percentile(&latencies, 50),
        p99_millis: percentile(&latencies, 99),
        arrivals_cpu_seconds,
        rss_mib: operator.rss_mib()?,
        peak_rss_mib: operator.peak_rss_mib()?,
        writes: written.total(),
        writes_refused: written.refused(),
        writes_of: by_kind(&written),
    };
    Ok((figures, state(&client).await?))
}

/// Waits until this many more texts were observed.
pub(crate) async fn collect(
    seen: &mut Seen,
    count: usize,
    operator: &mut Operator,
) -> anyhow::Result<HashMap<String, Instant>> {
    let mut names = HashMap::new();
    let deadline = tokio::time::Instant::now() + LONGEST;
    while names.len() < count {
        match tokio::time::timeout(Duration::from_secs(1), seen.recv()).await {
            Ok(found) => {
                let (name, at) = found.context("the watch has ended")?;
                names.entry(name).or_insert(at);
            }
            Err(_) => operator.runs()?,
        }
        anyhow::ensure!(
            tokio::time::Instant::now() < deadline,
            "only {} of {count} after {} s; the operator's log:\n{}",
            names.len(),
            LONGEST.as_secs(),
            operator.logged()
        );
    }
    Ok(names)
}

/// Waits until a second has passed without a write.
pub(crate) async fn at_rest(cluster: &ControlPlane) -> anyhow::Result<()> {
    let mut before = cluster.writes().await?;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = cluster.writes().await?;
        if now.since(&before).without_heartbeats().total() == 0 {
            return Ok(());
        }
        before = now;
    }
}

/// The writes without those of this program, and without the API server's leases.
fn operators_own(written: &WriteCounts) -> WriteCounts {
    let ours =
        |write: &Write| write.verb == Verb::Create && matches!(&*write.resource, "endpointslices" | "exposedapis");
    written.only(|write| write.resource != "leases" && !ours(write))
}

fn by_kind(written: &WriteCounts) -> BTreeMap<String, u64> {
    let mut kinds = BTreeMap::new();
    for (write, count) in written.iter() {
        *kinds.entry(write.to_string()).or_default() += count;
    }
    kinds
}

fn latencies(created: &[(String, Instant)], seen: &HashMap<String, Instant>) -> Vec<f64> {
    let latency =
        |(name, at): &(String, Instant)| Some(seen.get(name)?.saturating_duration_since(*at).as_secs_f64() * 1000.0);
    let mut latencies: Vec<f64> = created.iter().filter_map(latency).collect();
    latencies.sort_by(f64::total_cmp);
    latencies
}

fn percentile(sorted: &[f64], percent: usize) -> f64 {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Watches APIs for texts; each is sent once.
pub(crate) fn watch_apis(client: &Client, text: impl Fn(&DynamicObject) -> Option<String> + Send + 'static) -> Seen {
    watch(objects(client, &resource()), text)
}

/// Watches for the names of APIs whose implementation is ready.
pub(crate) fn watch_ready(client: &Client) -> Seen {
    watch_apis(client, |api| (api.data["status"]["implementation"]["ready"] == true).then(|| api.name_any()))
}

/// Watches for the names of `VirtualService`s.
fn watch_routes(client: Client) -> Seen {
    let routes = Api::<PartialObjectMeta<DynamicObject>>::namespaced_with(client, NAMESPACE, &virtual_service_kind());
    watch(routes, |route| Some(route.name_any()))
}

/// Watches objects for texts, and sends each once. The watch ends with its receiver: one that is left open would
/// cost the API server time in the next measurement.
fn watch<K>(objects: Api<K>, text: impl Fn(&K) -> Option<String> + Send + 'static) -> Seen
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let (sender, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut known = HashSet::new();
        let events = watcher(objects, watcher::Config::default().streaming_lists());
        let mut touched = std::pin::pin!(events.default_backoff().applied_objects());
        loop {
            let object = tokio::select! {
                () = sender.closed() => return,
                object = touched.next() => object,
            };
            let Some(Ok(object)) = object else { return };
            let Some(text) = text(&object).filter(|text| known.insert(text.clone())) else { continue };
            if sender.send((text, Instant::now())).is_err() {
                return;
            }
        }
    });
    seen
}

async fn state(client: &Client) -> anyhow::Result<State> {
    let mut state = State::new();
    for (kind, field) in [(virtual_service_kind(), "spec"), (service_monitor_kind(), "spec"), (resource(), "status")] {
        for object in objects(client, &kind).list(&ListParams::default()).await? {
            let mut content = object.data[field].clone();
            // Each operator has its own type of condition.
            if let Some(content) = content.as_object_mut() {
                content.remove("conditions");
                // The uid of the route differs between clusters, and the native operator does not look it up.
                content.get_mut("apiStatus").and_then(Value::as_object_mut).map(|status| status.remove("uid"));
            }
            let owners = object.owner_references().iter().map(|owner| json!([owner.kind, owner.name]));
            let owners: Vec<_> = owners.collect();
            state.insert(format!("{} {}", kind.kind, object.name_any()), json!({"content": content, "owners": owners}));
        }
    }
    Ok(state)
}
