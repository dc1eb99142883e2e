//! What was seen to happen, in the order in which the API server made it so: how workloads roll, and which pods came and went.
//!
//! All built-in objects have their versions from one counter, so what happened first can be told across kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::ResourceExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event, watcher};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::objects::Objects;
use crate::workloads::{ROLLING, is_through};

/// Watches how the workloads of a namespace roll that do so by themselves.
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
    through: bool,
}

/// Watches the pods of a namespace.
pub struct Pods {
    seen: Arc<Mutex<BTreeMap<String, Pod>>>,
    _watch: Watch,
}

/// A pod that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Who owns it: `kind/name`; empty for nobody.
    pub owner: String,
    /// The image of its sidecar; empty without one.
    pub sidecar: String,
    /// The version at which its end began, if it has.
    pub ended: Option<u64>,
}

/// Ends with whoever looks.
struct Watch(JoinHandle<()>);

// === impl Rolling ===

impl Rolling {
    /// Begins to watch.
    pub fn watch(objects: &Objects, namespace: &str) -> Self {
        let seen = Arc::<Mutex<BTreeSet<Change>>>::default();
        let watches = ROLLING.into_iter().map(|(api_version, kind, plural)| {
            let seen = Arc::clone(&seen);
            Watch::start(objects.within(namespace, api_version, kind, plural), move |object| {
                seen.lock().unwrap().insert(Change::of(kind, object));
            })
        });
        Self { _watches: watches.collect(), seen }
    }

    /// The most that rolled at once, leaving out those whose name has this text.
    pub fn most_at_once(&self, except: &str) -> usize {
        let (mut rolling, mut most) = (BTreeSet::new(), 0);
        for change in self.seen.lock().unwrap().iter().filter(|change| !change.name.contains(except)) {
            if change.through {
                rolling.remove(&change.name);
            } else {
                rolling.insert(change.name.clone());
            }
            most = most.max(rolling.len());
        }
        most
    }

    /// When the first began to roll.
    pub fn first(&self) -> Option<u64> {
        self.seen.lock().unwrap().iter().find(|change| !change.through).map(|change| change.version)
    }

    /// When a workload (`kind/name`) was first given an image, and when it had come through that.
    pub fn rolled(&self, name: &str, image: &str) -> Option<(u64, u64)> {
        let seen = self.seen.lock().unwrap();
        let mut with_it = seen.iter().filter(|change| change.name == name && change.image == image);
        let began = with_it.next()?;
        Some((began.version, with_it.find(|change| change.through)?.version))
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
            through: is_through(&document),
        }
    }
}

// === impl Pods ===

impl Pods {
    /// Begins to watch.
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

    /// All that were seen so far.
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
    fn start(api: Api<DynamicObject>, sees: impl Fn(&DynamicObject) + Send + 'static) -> Self {
        Self(tokio::spawn(async move {
            let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
            while let Some(Ok(event)) = events.next().await {
                if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = event {
                    sees(&object);
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
