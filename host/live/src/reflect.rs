//! Fills a view: lists, then watches; after a failure it resumes the watch, or lists again.
//!
//! kube's own `watcher` lacks three things: the revision of a list, which orders it against the
//! host's own writes; a first list that is at least as recent as the request (it accepts any); and
//! the fallback to paged lists where streaming is refused.

mod event;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{ListParams, WatchParams};
use mizzen_cluster::{RECONCILER_LABEL, ReadError, Scope};
use mizzen_model::Fields;
use tokio::time::Instant;

use self::event::Event;
use crate::backoff::{Backoff, HEALTHY};
use crate::discovery::Discovery;
use crate::document::Page;
use crate::errors::read_error;
use crate::link::{Events, Fault, Link};
use crate::mirror::{Mirror, Replaced, Staged, Start, is_definite};
use crate::mirrors::Mirrors;

/// Objects of a page of a list. All fields of a page are in memory for a moment.
const PAGE: u32 = 100;

/// Seconds that the API server keeps a watch open; then it is resumed.
const WATCH_SECONDS: u32 = 120;

/// How long a watch may be silent before it counts as lost: a connection can break without either
/// side noticing.
const WATCH_IDLE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);

/// Refusals in a row after which a view that was allowed before counts as refused. While the API
/// server starts, it may know neither its RBAC rules nor its CRDs.
const BELIEVED: u32 = 5;

/// Fills one view.
pub(crate) struct Reflector {
    link: Link,
    discovery: Arc<Discovery>,
    mirrors: Arc<Mirrors>,
    mirror: Arc<Mirror>,
    generation: u64,
    fields: Fields,
    /// How this API server lists.
    listing: Listing,
    /// The revision to resume from; `None`: the view has to be listed.
    at: Option<String>,
}

/// How objects are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    /// As the first events of a watch, so that only one object is whole in memory.
    Streaming,
    /// In pages, where the API server refuses the former.
    Paged,
}

/// Why a watch ended.
enum End {
    /// The API server or the network closed it.
    Closed,
    /// The API server has forgotten the last revision.
    Expired,
    /// A wider view took over.
    Superseded,
}

/// Whether a watch starts with the objects that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Initial {
    Sent,
    Omitted,
}

/// The phase of a watch.
enum Phase {
    /// Its events are the initial list.
    Listing(Staged),
    /// The list is complete, but older than what the reflector of the narrower view has reported.
    Behind(Staged),
    /// Its events are changes.
    Live,
}

// === impl Reflector ===

impl Reflector {
    pub(crate) fn new(
        link: Link,
        discovery: Arc<Discovery>,
        mirrors: Arc<Mirrors>,
        mirror: Arc<Mirror>,
        Start { generation, fields }: Start,
    ) -> Self {
        Self { link, discovery, mirrors, mirror, generation, fields, listing: Listing::Streaming, at: None }
    }

    /// Fills the view until a wider one takes over.
    pub(crate) async fn run(mut self) {
        let mut served = self.discovery.served();
        let (mut short, mut long) = (Backoff::short(), Backoff::long());
        let mut refusals = 0;
        loop {
            let begun = Instant::now();
            let ended = self.list_and_watch().await;
            let was_healthy = begun.elapsed() >= HEALTHY;
            if was_healthy {
                short.reset();
                long.reset();
                refusals = 0;
            }
            match ended {
                Ok(End::Superseded) => return,
                Ok(end) => {
                    if matches!(end, End::Expired) {
                        self.at = None;
                    }
                    // Watches that end in good order at once must not be restarted in a tight loop.
                    if !was_healthy {
                        tokio::time::sleep(short.next()).await;
                    }
                }
                Err(error) if is_definite(&error) => {
                    refusals += 1;
                    self.refused(&error, refusals);
                    tokio::select! {
                        () = tokio::time::sleep(long.next()) => {}
                        _ = served.changed() => {}
                    }
                }
                Err(error) => {
                    tracing::debug!(kind = %self.mirror.kind(), %error, "can't list or watch");
                    self.mirror.blocked(self.generation, &error);
                    tokio::time::sleep(short.next()).await;
                }
            }
        }
    }

    /// Handles one of several refusals in a row.
    fn refused(&mut self, error: &ReadError, refusals: u32) {
        if !self.mirror.has_content() || refusals >= BELIEVED {
            self.at = None;
            self.mirror.blocked(self.generation, error);
        }
        if matches!(error, ReadError::NotServed(_)) {
            self.discovery.recheck(self.mirror.kind().group());
        }
    }

    /// Lists if necessary, and watches until the watch ends.
    async fn list_and_watch(&mut self) -> Result<End, ReadError> {
        let kind = self.mirror.kind().clone();
        let facts = self.discovery.facts(&kind).await?;
        let path = Discovery::path(&kind, &facts, None);
        let end = match self.at.clone() {
            Some(version) => self.resume(&path, &version).await,
            None if self.listing == Listing::Paged => self.list(&path).await,
            None => self.stream(&path).await,
        };
        match end {
            Err(Fault::Refused(status)) if is_expired(status.code, &status.message) => Ok(End::Expired),
            end => end.map_err(|fault| read_error(&kind, &fault)),
        }
    }

    async fn resume(&mut self, path: &str, version: &str) -> Result<End, Fault> {
        let events = self.link.watch(path, &self.watch_params(Initial::Omitted), version).await?;
        self.mirror.resumed(self.generation);
        self.process(events, Phase::Live).await
    }

    /// Lists and watches with one request.
    async fn stream(&mut self, path: &str) -> Result<End, Fault> {
        // Without a revision, the list is at least as recent as this request.
        match self.link.watch(path, &self.watch_params(Initial::Sent), "").await {
            Err(Fault::Refused(status)) if matches!(status.code, 400 | 422) => {
                self.listing = Listing::Paged;
                self.list(path).await
            }
            events => self.process(events?, Phase::Listing(Staged::new())).await,
        }
    }

    async fn list(&mut self, path: &str) -> Result<End, Fault> {
        let mut staged = Staged::new();
        let mut params = ListParams { limit: Some(PAGE), label_selector: self.selector(), ..ListParams::default() };
        let version = loop {
            let page: Page = self.link.send(kube::core::Request::new(path).list(&params)).await?;
            for document in page.items {
                if let Some(object) = event::object(document, self.mirror.kind(), &self.fields) {
                    self.stage(&mut staged, Event::Present(object));
                }
            }
            if page.metadata.next.is_empty() {
                break page.metadata.resource_version;
            }
            params.continue_token = Some(page.metadata.next);
        };
        let Some(phase) = self.replace(&version, staged) else { return Ok(End::Superseded) };
        let events = self.link.watch(path, &self.watch_params(Initial::Omitted), &version).await?;
        self.process(events, phase).await
    }

    /// Processes the events of a watch until it ends.
    async fn process(&mut self, mut events: Events, mut phase: Phase) -> Result<End, Fault> {
        while let Some(event) = tokio::time::timeout(WATCH_IDLE, events.next()).await.unwrap_or_default() {
            let Some(event) = Event::read(event?, self.mirror.kind(), &self.fields)? else { continue };
            let (version, ends_list) = (event.version(), matches!(event, Event::Bookmark { ends_list: true, .. }));
            phase = match phase {
                Phase::Live => {
                    if !self.update(event) {
                        return Ok(End::Superseded);
                    }
                    self.at = Some(version);
                    Phase::Live
                }
                Phase::Listing(mut staged) if !ends_list => {
                    self.stage(&mut staged, event);
                    Phase::Listing(staged)
                }
                Phase::Listing(mut staged) | Phase::Behind(mut staged) => {
                    self.stage(&mut staged, event);
                    let Some(phase) = self.replace(&version, staged) else { return Ok(End::Superseded) };
                    phase
                }
            };
        }
        Ok(End::Closed)
    }

    /// Updates the view by one event. False if a wider view has taken over.
    fn update(&self, event: Event) -> bool {
        match event {
            Event::Present(object) => {
                let object = Arc::new(object);
                let kept = self.mirrors.kept(self.mirror.scope(), Arc::clone(&object));
                // Of an object that is not recognized, only the identity is kept.
                if Arc::ptr_eq(&kept, &object) {
                    self.mirrors.forward(&self.mirror, &self.fields, &object);
                }
                self.mirror.upsert(self.generation, kept)
            }
            Event::Deleted(object) => self.mirror.remove(self.generation, &object.reference, object.resource_version),
            Event::Bookmark { .. } => true,
        }
    }

    fn stage(&self, staged: &mut Staged, event: Event) {
        match event {
            Event::Present(object) => {
                let object = self.mirrors.kept(self.mirror.scope(), Arc::new(object));
                let object = self.mirror.stored(&object, &self.fields).unwrap_or(object);
                staged.insert(object.reference.clone(), object);
            }
            Event::Deleted(object) => {
                staged.remove(&object.reference);
            }
            Event::Bookmark { .. } => {}
        }
    }

    /// Replaces the view's content by a complete list. `None` if a wider view has taken over.
    fn replace(&mut self, version: &str, staged: Staged) -> Option<Phase> {
        for object in staged.values() {
            self.mirrors.forward(&self.mirror, &self.fields, object);
        }
        match self.mirror.replace(self.generation, &self.fields, version.parse().unwrap_or(0), staged) {
            Replaced::Done => {
                self.at = Some(version.to_owned());
                Some(Phase::Live)
            }
            Replaced::Behind(staged) => Some(Phase::Behind(staged)),
            Replaced::Superseded => None,
        }
    }

    fn watch_params(&self, initial: Initial) -> WatchParams {
        WatchParams {
            label_selector: self.selector(),
            timeout: Some(WATCH_SECONDS),
            send_initial_events: initial == Initial::Sent,
            ..WatchParams::default()
        }
    }

    fn selector(&self) -> Option<String> {
        match self.mirror.scope() {
            Scope::All => None,
            Scope::Owned => Some(RECONCILER_LABEL.to_owned()),
        }
    }
}

/// Whether the API server can't resume a watch: it has forgotten the revision, or, restored from a
/// backup, does not know it yet.
fn is_expired(code: u16, message: &str) -> bool {
    code == 410 || (code == 504 && message.contains("Too large resource version"))
}

#[cfg(test)]
mod tests;
