//! Records changes in the order of the API server: how workloads roll out, and which pods start and end.
//!
//! All built-in objects get their versions from one counter, so versions of different kinds can be
//! compared.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::objects::Objects;
use crate::workloads::{Owner, ROLLING, is_rolled_out};

/// Watches the rollouts of the workloads of a namespace.
pub struct Rolling {
    seen: Arc<Mutex<BTreeSet<Change>>>,
    _watches: Vec<Watch>,
}

/// A change of a workload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    version: u64,
    name: String,
    image: String,
    rolled_out: bool,
}

/// Watches the pods of a namespace.
pub struct Pods {
    seen: Arc<Mutex<BTreeMap<String, Pod>>>,
    _watch: Watch,
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its controller as `kind/name`; empty without one.
    pub owner: String,
    /// The image of its sidecar; empty without one.
    pub sidecar: String,
    /// The version at which its deletion began, if it has.
    pub ended: Option<u64>,
}

/// A watch, which ends when this is dropped.
struct Watch(JoinHandle<()>);

// === impl Rolling ===

impl Rolling {
    /// Starts the watch.
    pub fn watch(objects: &Objects, namespace: &str) -> Self {
        let seen = Arc::<Mutex<BTreeSet<Change>>>::default();
        let watches = ROLLING.into_iter().map(|owner @ Owner { kind, .. }| {
            let seen = Arc::clone(&seen);
            Watch::start(owner.within(objects, namespace), move |object| {
                seen.lock().unwrap().insert(Change::of(kind, object));
            })
        });
        Self { _watches: watches.collect(), seen }
    }

    /// Returns the most rollouts at one time, without workloads whose name contains this text.
    pub fn most_at_once(&self, except: &str) -> usize {
        let (mut rolling, mut most) = (BTreeSet::new(), 0);
        for change in self.seen.lock().unwrap().iter().filter(|change| !change.name.contains(except)) {
            if change.rolled_out {
                rolling.remove(&change.name);
            } else {
                rolling.insert(change.name.clone());
            }
            most = most.max(rolling.len());
        }
        most
    }

    /// Returns the version at which the first rollout began.
    pub fn first(&self) -> Option<u64> {
        self.seen.lock().unwrap().iter().find(|change| !change.rolled_out).map(|change| change.version)
    }

    /// Returns the versions between which a workload (`kind/name`) rolled out to an image.
    pub fn rollout(&self, name: &str, image: &str) -> Option<RangeInclusive<u64>> {
        let seen = self.seen.lock().unwrap();
        let mut with_it = seen.iter().filter(|change| change.name == name && change.image == image);
        let began = with_it.next()?;
        Some(began.version..=with_it.find(|change| change.rolled_out)?.version)
    }
}

// === impl Change ===

impl Change {
    fn of(kind: &str, object: &DynamicObject) -> Self {
        let mut document = object.data.clone();
        document["kind"] = json!(kind);
        document["metadata"] = json!({"generation": object.metadata.generation});
        Self {
            version: version(object),
            name: format!("{kind}/{}", object.name_any()),
            image: text(&document["spec"]["template"]["spec"]["containers"][0]["image"]),
            rolled_out: is_rolled_out(&document),
        }
    }
}

// === impl Pods ===

impl Pods {
    /// Starts the watch.
    pub fn watch(objects: &Objects, namespace: &str) -> Self {
        let seen = Arc::<Mutex<BTreeMap<String, Pod>>>::default();
        let kept = Arc::clone(&seen);
        let watch = Watch::start(objects.within(namespace, "v1", "Pod", "pods"), move |object| {
            let mut seen = kept.lock().unwrap();
            let pod = seen.entry(object.uid().unwrap_or_default()).or_insert_with(|| Pod::of(object));
            if pod.ended.is_none() && object.metadata.deletion_timestamp.is_some() {
                pod.ended = Some(version(object));
            }
        });
        Self { seen, _watch: watch }
    }

    /// Returns all pods that were seen so far.
    pub fn seen(&self) -> Vec<Pod> {
        self.seen.lock().unwrap().values().cloned().collect()
    }
}

// === impl Pod ===

impl Pod {
    fn of(object: &DynamicObject) -> Self {
        let owner = object.owner_references().iter().find(|owner| owner.controller == Some(true));
        Self {
            owner: owner.map(|owner| format!("{}/{}", owner.kind, owner.name)).unwrap_or_default(),
            sidecar: text(&object.data["spec"]["initContainers"][0]["image"]),
            ended: None,
        }
    }
}

// === impl Watch ===

impl Watch {
    fn start(api: Api<DynamicObject>, observe: impl Fn(&DynamicObject) + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
            while let Some(Ok(event)) = events.next().await {
                if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = event {
                    observe(&object);
                }
            }
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn version(object: &DynamicObject) -> u64 {
    object.resource_version().and_then(|own| own.parse().ok()).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
