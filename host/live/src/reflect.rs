//! Keeps a view: lists, then watches, and begins again where it was, or anew, whenever that breaks.
//!
//! kube's own `watcher` hides three things this needs: the revision of a list (what orders it against the host's own writes), a
//! first list that is no older than now (it asks for any), and the way back to paged lists where streaming ones are refused.

mod news;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::api::{ListParams, WatchParams};
use mizzen_cluster::{RECONCILER_LABEL, ReadError, Scope};
use mizzen_model::Fields;
use tokio::time::Instant;

use self::news::News;
use crate::discovery::Discovery;
use crate::document::Page;
use crate::errors::read_error;
use crate::link::{Events, Fault, Link};
use crate::mirror::{Adoption, Mirror, Staged, is_definite};
use crate::mirrors::Mirrors;
use crate::pause::Pause;

/// How many objects a page of a list holds. They are in memory whole, for a moment.
const PAGE: u32 = 100;

/// For how many seconds the API server keeps a watch open; then it is resumed.
const WATCH_SECONDS: u32 = 120;

/// After how long without a word a watch counts as dead: the connection was lost without either side being told.
const WATCH_IDLE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 10);

/// How long a watch lives that is no sign of trouble.
const HEALTHY: Duration = Duration::from_secs(5);

/// How many times in a row the API server must refuse a view that it had allowed before that is believed. While it starts, it
/// may know neither its RBAC rules nor its CRDs.
const BELIEVED: u32 = 5;

/// What keeps one view.
pub(crate) struct Reflector {
    link: Link,
    discovery: Arc<Discovery>,
    mirrors: Arc<Mirrors>,
    mirror: Arc<Mirror>,
    generation: u64,
    fields: Fields,
    /// Whether this API server refuses streaming lists.
    paged: bool,
    /// The revision up to which the view is complete; `None`: it has to be listed.
    at: Option<String>,
}

/// Why a watch ended.
enum End {
    /// It was its time, or the connection's.
    Closed,
    /// The API server no longer knows what happened since the last revision.
    Expired,
    /// A wider view took over.
    Superseded,
}

/// How far a stream is.
enum Phase {
    /// What comes is a list.
    Listing(Staged),
    /// The list is complete, but older than what the reflector of the narrower view has told of.
    Behind(Staged),
    /// What comes happens now.
    Live,
}

impl Reflector {
    pub(crate) fn new(
        link: Link,
        discovery: Arc<Discovery>,
        mirrors: Arc<Mirrors>,
        mirror: Arc<Mirror>,
        (generation, fields): (u64, Fields),
    ) -> Self {
        Self { link, discovery, mirrors, mirror, generation, fields, paged: false, at: None }
    }

    /// Keeps the view until a wider one takes over.
    pub(crate) async fn run(mut self) {
        let mut turns = self.discovery.turns();
        let (mut silence, mut refusal) = (Pause::short(), Pause::long());
        let mut refused = 0;
        loop {
            let begun = Instant::now();
            let error = match self.keep().await {
                Ok(End::Superseded) => return,
                Ok(End::Closed) => None,
                Ok(End::Expired) => {
                    self.at = None;
                    None
                }
                Err(error) => Some(error),
            };
            if begun.elapsed() >= HEALTHY {
                silence.reset();
                refusal.reset();
                refused = 0;
            }
            match error {
                // Even an orderly end must not be followed by the next try at once for ever.
                None if begun.elapsed() >= HEALTHY => {}
                None => tokio::time::sleep(silence.next()).await,
                Some(error) if is_definite(&error) => {
                    refused += 1;
                    if !self.mirror.has_content() || refused >= BELIEVED {
                        self.at = None;
                        self.mirror.blocked(self.generation, &error);
                    }
                    if matches!(error, ReadError::NotServed(_)) {
                        self.discovery.doubt(self.mirror.kind().group());
                    }
                    tokio::select! {
                        () = tokio::time::sleep(refusal.next()) => {}
                        _ = turns.changed() => {}
                    }
                }
                Some(error) => {
                    tracing::debug!(kind = %self.mirror.kind(), %error, "a view waits");
                    self.mirror.blocked(self.generation, &error);
                    tokio::time::sleep(silence.next()).await;
                }
            }
        }
    }

    /// Lists if need be, and watches until that ends.
    async fn keep(&mut self) -> Result<End, ReadError> {
        let kind = self.mirror.kind().clone();
        let facts = self.discovery.facts(&kind).await?;
        let path = Discovery::path(&kind, &facts, None);
        let end = match self.at.clone() {
            Some(version) => self.resume(&path, &version).await,
            None if self.paged => self.list(&path).await,
            None => self.stream(&path).await,
        };
        match end {
            Err(Fault::Refused(status)) if is_expired(status.code, &status.message) => Ok(End::Expired),
            end => end.map_err(|fault| read_error(&kind, &fault)),
        }
    }

    async fn resume(&mut self, path: &str, version: &str) -> Result<End, Fault> {
        let events = self.link.watch(path, &self.watch_params(false), version).await?;
        self.mirror.resumed(self.generation);
        self.follow(events, Phase::Live).await
    }

    /// Lists and watches in one: objects come one by one, so that only one is ever held whole.
    async fn stream(&mut self, path: &str) -> Result<End, Fault> {
        // No revision: the list is to be no older than this request.
        match self.link.watch(path, &self.watch_params(true), "").await {
            Err(Fault::Refused(status)) if matches!(status.code, 400 | 422) => {
                self.paged = true;
                self.list(path).await
            }
            events => self.follow(events?, Phase::Listing(Staged::new())).await,
        }
    }

    async fn list(&mut self, path: &str) -> Result<End, Fault> {
        let mut staged = Staged::new();
        let mut params = ListParams { limit: Some(PAGE), label_selector: self.selector(), ..ListParams::default() };
        let version = loop {
            let page: Page = self.link.send(kube::core::Request::new(path).list(&params)).await?;
            for document in page.items {
                if let Some(object) = news::object(document, self.mirror.kind(), &self.fields) {
                    self.stage(&mut staged, News::Here(object));
                }
            }
            if page.metadata.next.is_empty() {
                break page.metadata.resource_version;
            }
            params.continue_token = Some(page.metadata.next);
        };
        let Some(phase) = self.adopt(&version, staged) else { return Ok(End::Superseded) };
        let events = self.link.watch(path, &self.watch_params(false), &version).await?;
        self.follow(events, phase).await
    }

    /// Follows a stream until it ends.
    async fn follow(&mut self, mut events: Events, mut phase: Phase) -> Result<End, Fault> {
        // A live stream that is silent for longer than it may live was lost.
        while let Some(event) = tokio::time::timeout(WATCH_IDLE, events.next()).await.unwrap_or_default() {
            let Some(news) = News::read(event?, self.mirror.kind(), &self.fields)? else { continue };
            let (version, ends_list) = (news.version(), matches!(news, News::Mark { ends_list: true, .. }));
            phase = match phase {
                Phase::Live => {
                    if !self.take_in(news) {
                        return Ok(End::Superseded);
                    }
                    self.at = Some(version);
                    Phase::Live
                }
                Phase::Listing(mut staged) if !ends_list => {
                    self.stage(&mut staged, news);
                    Phase::Listing(staged)
                }
                Phase::Listing(mut staged) | Phase::Behind(mut staged) => {
                    self.stage(&mut staged, news);
                    let Some(phase) = self.adopt(&version, staged) else { return Ok(End::Superseded) };
                    phase
                }
            };
        }
        Ok(End::Closed)
    }

    /// Takes one event into the view. False when a wider view took over.
    fn take_in(&self, news: News) -> bool {
        match news {
            News::Here(object) => {
                let object = Arc::new(object);
                self.mirrors.heard(&self.mirror, &self.fields, &object);
                self.mirror.upsert(self.generation, object)
            }
            News::Gone(object) => self.mirror.remove(self.generation, &object.reference, object.resource_version),
            News::Mark { .. } => true,
        }
    }

    fn stage(&self, staged: &mut Staged, news: News) {
        match news {
            News::Here(object) => {
                let object = self.mirror.held(&object, &self.fields).unwrap_or_else(|| Arc::new(object));
                staged.insert(object.reference.clone(), object);
            }
            News::Gone(object) => {
                staged.remove(&object.reference);
            }
            News::Mark { .. } => {}
        }
    }

    /// Puts a complete list in the place of what is read. `None` when a wider view took over.
    fn adopt(&mut self, version: &str, staged: Staged) -> Option<Phase> {
        for object in staged.values() {
            self.mirrors.heard(&self.mirror, &self.fields, object);
        }
        match self.mirror.adopt(self.generation, &self.fields, version.parse().unwrap_or(0), staged) {
            Adoption::Done => {
                self.at = Some(version.to_owned());
                Some(Phase::Live)
            }
            Adoption::Behind(staged) => Some(Phase::Behind(staged)),
            Adoption::Superseded => None,
        }
    }

    fn watch_params(&self, send_initial_events: bool) -> WatchParams {
        WatchParams {
            label_selector: self.selector(),
            timeout: Some(WATCH_SECONDS),
            send_initial_events,
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

/// Whether the API server can't resume there: it has forgotten the revision, or (after a restore from a backup) does not know it yet.
fn is_expired(code: u16, message: &str) -> bool {
    code == 410 || (code == 504 && message.contains("Too large resource version"))
}

#[cfg(test)]
mod tests;
