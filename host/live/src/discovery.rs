//! Caches what discovery says about kinds, and checks it again when CRDs change.
//!
//! ```text
//!   facts(kind) ──► cached? ──no──► GET the API version, GET the CRD ──► cached
//!   CRD event (its name has the group) ─┐
//!   404 response to a request ──────────┼──► checked again, with growing delays ──► Change::Served
//!   kinds that are not served ──────────┘
//! ```
//! The API server starts and stops serving a CRD some time after the event, so one check after it
//! is not enough: its group is checked for [`SETTLING`].

pub(crate) mod conditions;
mod definitions;
pub(crate) mod resources;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mizzen_cluster::{Change, KindFacts, ReadError};
use mizzen_model::Kind;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::definitions::Changed;
use self::resources::Resources;
use crate::backoff::Backoff;
use crate::errors::read_error;
use crate::link::Link;
use crate::subscribers::Subscribers;

/// How long a group is checked after an event: the API server takes a second or two to serve a CRD,
/// unless it is overloaded.
const SETTLING: Duration = Duration::from_secs(15);

/// How long a kind that is not served is not asked for again: look-ups of it cost no request each.
const ABSENT: Duration = Duration::from_millis(500);

/// The most kinds that are remembered. Kinds that are not served make room: who may create Pods names
/// kinds in their owner references.
const KINDS: usize = 4096;

/// The cache of discovery.
pub(crate) struct Discovery {
    link: Link,
    changes: Arc<Subscribers>,
    cache: Mutex<Cache>,
    /// There is something to check again.
    recheck: Notify,
    /// Counts how often a kind became served or unserved.
    served: watch::Sender<u64>,
}

#[derive(Default)]
struct Cache {
    /// Every kind that was looked up.
    kinds: HashMap<Kind, Known>,
    /// API groups to check again, until when.
    unsettled: HashMap<String, Instant>,
}

/// What is known about a kind.
struct Known {
    /// `None`: it is not served.
    facts: Option<KindFacts>,
    checked: Instant,
}

// === impl Cache ===

impl Cache {
    /// What needs no request.
    fn find(&self, kind: &Kind) -> Option<Result<KindFacts, ReadError>> {
        let known = self.kinds.get(kind)?;
        match &known.facts {
            Some(facts) => Some(Ok(facts.clone())),
            None if known.checked.elapsed() < ABSENT => Some(Err(ReadError::NotServed(kind.clone()))),
            None => None,
        }
    }

    /// Returns what was known before.
    fn insert(&mut self, kind: &Kind, facts: Option<KindFacts>) -> Option<Known> {
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(kind) {
            self.kinds.retain(|_, known| known.facts.is_some());
        }
        self.kinds.insert(kind.clone(), Known { facts, checked: Instant::now() })
    }
}

// === impl Discovery ===

impl Discovery {
    pub(crate) fn new(link: Link, changes: Arc<Subscribers>) -> Self {
        Self { link, changes, cache: Mutex::default(), recheck: Notify::new(), served: watch::Sender::new(0) }
    }

    /// What discovery says about `kind`.
    pub(crate) async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        if let Some(known) = self.cache.lock().find(kind) {
            return known;
        }
        let found = match resources::fetch(&self.link, kind).await {
            Ok(resources) => self.describe(kind, &resources).await?,
            Err(ReadError::NotServed(_)) => None,
            Err(error) => return Err(error),
        };
        self.record(kind, found.clone());
        found.ok_or_else(|| ReadError::NotServed(kind.clone()))
    }

    /// The path of the objects of `kind`, in one namespace or all.
    pub(crate) fn path(kind: &Kind, facts: &KindFacts, namespace: Option<&str>) -> String {
        let root = resources::root(kind);
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", facts.plural),
            None => format!("{root}/{}", facts.plural),
        }
    }

    /// Checks the kinds of a group again: a request got a 404, or a CRD changed.
    pub(crate) fn recheck(&self, group: &str) {
        self.cache.lock().unsettled.insert(group.to_owned(), Instant::now() + SETTLING);
        self.recheck.notify_one();
    }

    /// Checks all groups again: events may have been missed.
    fn recheck_all(&self) {
        let mut cache = self.cache.lock();
        let groups: Vec<_> = cache.kinds.keys().map(|kind| kind.group().to_owned()).collect();
        let until = Instant::now() + SETTLING;
        cache.unsettled.extend(groups.into_iter().map(|group| (group, until)));
        drop(cache);
        self.recheck.notify_one();
    }

    /// Changes each time a kind becomes served or unserved.
    pub(crate) fn served(&self) -> watch::Receiver<u64> {
        self.served.subscribe()
    }

    /// Keeps the cache up to date for as long as it is polled.
    pub(crate) async fn run(&self) {
        let watch = definitions::watch(&self.link, |changed| match changed {
            Changed::Group(group) => self.recheck(&group),
            Changed::Any => self.recheck_all(),
        });
        tokio::join!(watch, self.check_repeatedly());
    }

    async fn check_repeatedly(&self) {
        let mut backoff = Backoff::long();
        loop {
            if self.is_settled() {
                self.recheck.notified().await;
                backoff.reset();
            }
            tokio::select! {
                () = self.recheck.notified() => backoff.reset(),
                () = tokio::time::sleep(backoff.next()) => self.check().await,
            }
        }
    }

    fn is_settled(&self) -> bool {
        let mut cache = self.cache.lock();
        let now = Instant::now();
        cache.unsettled.retain(|_, until| *until > now);
        cache.unsettled.is_empty() && cache.kinds.values().all(|known| known.facts.is_some())
    }

    /// Checks every kind that is not served or in an unsettled group.
    async fn check(&self) {
        let mut due: BTreeMap<Arc<str>, Vec<Kind>> = BTreeMap::new();
        {
            let cache = self.cache.lock();
            let kinds = cache.kinds.iter();
            let is_due =
                |kind: &Kind, known: &Known| known.facts.is_none() || cache.unsettled.contains_key(kind.group());
            for (kind, _) in kinds.filter(|(kind, known)| is_due(kind, known)) {
                due.entry(kind.api_version.clone()).or_default().push(kind.clone());
            }
        }
        for kinds in due.into_values() {
            let resources = match resources::fetch(&self.link, &kinds[0]).await {
                Ok(resources) => resources,
                Err(ReadError::NotServed(_)) => Resources::new(),
                // A failure does not mean "not served": the cache stays as it is.
                Err(_) => continue,
            };
            for kind in kinds {
                if let Ok(found) = self.describe(&kind, &resources).await {
                    self.record(&kind, found);
                }
            }
        }
    }

    async fn describe(&self, kind: &Kind, resources: &Resources) -> Result<Option<KindFacts>, ReadError> {
        let Some(resource) = resources.get(&*kind.name) else { return Ok(None) };
        let conditions_by_type = conditions::by_type(&self.link, kind, &resource.plural).await;
        Ok(Some(KindFacts {
            plural: resource.plural.clone(),
            namespaced: resource.namespaced,
            status_subresource: resource.status,
            conditions_by_type: conditions_by_type.map_err(|fault| read_error(kind, &fault))?,
        }))
    }

    fn record(&self, kind: &Kind, found: Option<KindFacts>) {
        let served = found.is_some();
        let before = self.cache.lock().insert(kind, found);
        match before {
            Some(before) if before.facts.is_some() != served => {
                if served {
                    tracing::info!(%kind, "kind is served");
                } else {
                    tracing::warn!(%kind, "kind is not served any longer");
                }
                self.changes.send(&Change::Served(kind.clone()));
                self.served.send_modify(|times| *times += 1);
            }
            // Starts the checks that wait for it.
            None if !served => self.recheck.notify_one(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
