//! What the API server says of kinds, remembered, and looked at again when CRDs come and go.
//!
//! ```text
//!   facts(kind) ──► known? ──no──► GET the API version, GET the CRD ──► known
//!   CRD event (its name tells the group) ─┐
//!   a request that met 404 ───────────────┼──► looked at again, soon and then ever more rarely ──► Change::Served
//!   kinds that are not served ────────────┘
//! ```
//! A CRD is served a moment after it is there and for a moment after it is gone, so one look after an event would not do: its
//! group is looked at for [`SETTLING`].

mod conditions;
mod definitions;
mod resources;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizzen_cluster::{Change, KindFacts, ReadError};
use mizzen_model::Kind;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use self::resources::Resources;
use crate::errors::read_error;
use crate::link::Link;
use crate::pause::Pause;
use crate::subscribers::Subscribers;

/// How long after an event a group is looked at: the API server settles a CRD within a second or two, unless it is overloaded.
const SETTLING: Duration = Duration::from_secs(15);

/// What is known of kinds.
pub(crate) struct Discovery {
    link: Link,
    changes: Arc<Subscribers>,
    memory: Mutex<Memory>,
    /// Something happened that makes another look worth while.
    stir: Notify,
    /// Counts how often a kind came or went.
    turns: watch::Sender<u64>,
}

#[derive(Default)]
struct Memory {
    /// Every kind that was asked about; `None`: it is not served.
    kinds: HashMap<Kind, Option<KindFacts>>,
    /// API groups that are looked at again until then.
    unsettled: HashMap<String, Instant>,
}

impl Discovery {
    pub(crate) fn new(link: Link, changes: Arc<Subscribers>) -> Self {
        Self { link, changes, memory: Mutex::default(), stir: Notify::new(), turns: watch::Sender::new(0) }
    }

    /// What the API server says of `kind`.
    pub(crate) async fn facts(&self, kind: &Kind) -> Result<KindFacts, ReadError> {
        if let Some(Some(facts)) = self.memory().kinds.get(kind) {
            return Ok(facts.clone());
        }
        let found = match resources::fetch(&self.link, kind).await {
            Ok(resources) => self.describe(kind, &resources).await?,
            Err(ReadError::NotServed(_)) => None,
            Err(error) => return Err(error),
        };
        self.learn(kind, found.clone());
        found.ok_or_else(|| ReadError::NotServed(kind.clone()))
    }

    /// The path under which objects of `kind` are served, in one namespace or all.
    pub(crate) fn path(kind: &Kind, facts: &KindFacts, namespace: Option<&str>) -> String {
        let root = resources::root(kind);
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", facts.plural),
            None => format!("{root}/{}", facts.plural),
        }
    }

    /// Has `kind` looked at again: a request for it met a 404, or an event told of its CRD.
    pub(crate) fn doubt(&self, group: &str) {
        self.memory().unsettled.insert(group.to_owned(), Instant::now() + SETTLING);
        self.stir.notify_one();
    }

    /// Has every group that is known looked at again: events may have been missed.
    pub(crate) fn doubt_all(&self) {
        let mut memory = self.memory();
        let groups: Vec<_> = memory.kinds.keys().map(|kind| kind.group().to_owned()).collect();
        let until = Instant::now() + SETTLING;
        memory.unsettled.extend(groups.into_iter().map(|group| (group, until)));
        drop(memory);
        self.stir.notify_one();
    }

    /// Something that changes each time a kind comes or goes.
    pub(crate) fn turns(&self) -> watch::Receiver<u64> {
        self.turns.subscribe()
    }

    /// Keeps what is known up to date, for as long as it is polled.
    pub(crate) async fn keep(&self) {
        tokio::join!(definitions::follow(&self.link, self), self.look_again());
    }

    async fn look_again(&self) {
        let mut pause = Pause::long();
        loop {
            if self.is_settled() {
                self.stir.notified().await;
                pause.reset();
            }
            tokio::select! {
                () = self.stir.notified() => pause.reset(),
                () = tokio::time::sleep(pause.next()) => self.look().await,
            }
        }
    }

    fn is_settled(&self) -> bool {
        let mut memory = self.memory();
        let now = Instant::now();
        memory.unsettled.retain(|_, until| *until > now);
        memory.unsettled.is_empty() && memory.kinds.values().all(Option::is_some)
    }

    /// Looks at every kind that is absent or in an unsettled group.
    async fn look(&self) {
        let mut due: BTreeMap<Arc<str>, Vec<Kind>> = BTreeMap::new();
        {
            let memory = self.memory();
            let kinds = memory.kinds.iter();
            for (kind, _) in
                kinds.filter(|(kind, facts)| facts.is_none() || memory.unsettled.contains_key(kind.group()))
            {
                due.entry(kind.api_version.clone()).or_default().push(kind.clone());
            }
        }
        for kinds in due.into_values() {
            let resources = match resources::fetch(&self.link, &kinds[0]).await {
                Ok(resources) => resources,
                Err(ReadError::NotServed(_)) => Resources::new(),
                // Not known is not absent: what was known stands.
                Err(_) => continue,
            };
            for kind in kinds {
                if let Ok(found) = self.describe(&kind, &resources).await {
                    self.learn(&kind, found);
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

    fn learn(&self, kind: &Kind, found: Option<KindFacts>) {
        let served = found.is_some();
        let before = self.memory().kinds.insert(kind.clone(), found);
        match before {
            Some(before) if before.is_some() != served => {
                tracing::info!(%kind, served, "the API server's kinds changed");
                self.changes.send(&Change::Served(kind.clone()));
                self.turns.send_modify(|turns| *turns += 1);
            }
            // The first to be waited for.
            None if !served => self.stir.notify_one(),
            _ => {}
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
