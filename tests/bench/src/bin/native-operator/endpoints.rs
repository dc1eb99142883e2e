//! The Services with a ready endpoint, and the APIs that read that.

use std::collections::{HashMap, HashSet};

use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use mizzen_bench::any_ready;
use parking_lot::{Mutex, MutexGuard};

use crate::owned::Name;

/// The readiness of all slices.
#[derive(Default)]
pub(crate) struct Endpoints(Mutex<Inner>);

/// By Service and slice: whether one of its endpoints is ready.
type Slices = HashMap<Name, HashMap<String, bool>>;

#[derive(Default)]
struct Inner {
    slices: Slices,
    /// An unfinished list.
    listed: Slices,
    /// The APIs that have read a Service.
    readers: HashMap<Name, HashSet<Name>>,
}

impl Endpoints {
    /// Applies an event of the watch, and returns the APIs whose result may change.
    pub(crate) fn observe(&self, event: Event<EndpointSlice>) -> Vec<Name> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        match event {
            Event::Init => {
                inner.listed.clear();
                Vec::new()
            }
            Event::InitApply(slice) => {
                put(&mut inner.listed, &slice);
                Vec::new()
            }
            Event::InitDone => {
                inner.slices = std::mem::take(&mut inner.listed);
                inner.readers.values().flatten().cloned().collect()
            }
            Event::Apply(slice) => {
                let changed = put(&mut inner.slices, &slice);
                changed.map_or_else(Vec::new, |service| inner.readers_of(&service))
            }
            Event::Delete(slice) => {
                let Some(service) = service_of(&slice) else { return Vec::new() };
                if let Some(slices) = inner.slices.get_mut(&service) {
                    slices.remove(&slice.name_any());
                }
                inner.readers_of(&service)
            }
        }
    }

    /// Whether an endpoint of a Service is ready. The API becomes a reader of it.
    pub(crate) fn any_ready(&self, service: Name, api: &Name) -> bool {
        let mut inner = self.lock();
        let ready = inner.slices.get(&service).is_some_and(|slices| slices.values().any(|ready| *ready));
        inner.readers.entry(service).or_default().insert(api.clone());
        ready
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock()
    }
}

impl Inner {
    fn readers_of(&self, service: &Name) -> Vec<Name> {
        self.readers.get(service).into_iter().flatten().cloned().collect()
    }
}

/// Stores a slice, and returns its Service if the readiness has changed.
fn put(slices: &mut Slices, slice: &EndpointSlice) -> Option<Name> {
    let service = service_of(slice)?;
    let ready = any_ready(slice);
    let before = slices.entry(service.clone()).or_default().insert(slice.name_any(), ready);
    (before != Some(ready)).then_some(service)
}

fn service_of(slice: &EndpointSlice) -> Option<Name> {
    let service = slice.labels().get("kubernetes.io/service-name")?;
    Some((slice.namespace().unwrap_or_default(), service.clone()))
}
