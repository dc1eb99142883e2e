//! Writes to the API server: server-side apply, deletion, finalizers.

mod lines;

use std::sync::Arc;
use std::time::Duration;

use http::Request as HttpRequest;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, Preconditions, ValidationDirective};
use kube::core::{Request, request};
use mizzen_cluster::{Apply, KindFacts, Target, WriteError};
use mizzen_model::{Kind, Object, ObjectRef};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::discovery::Discovery;
use crate::document::Document;
use crate::errors::{unknown_kind, write_error};
use crate::link::{Fault, Link};

/// Writes at once. Each takes a connection (HTTP/1.1): a plugin that wants ten thousand objects
/// must neither take all file descriptors nor all capacity of the API server. Twice as many as one
/// reconciler makes at once, so that one whose writes are slow leaves half of them to the others.
const CONCURRENCY: usize = 64;

/// How often a write is sent to an API server that responds 429 (too many requests).
const SENDS: u32 = 4;

/// The longest `retryAfterSeconds` that is respected.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10);

/// Attempts to remove a finalizer from an object that other clients keep changing.
const RACES: u32 = 10;

/// Sends writes.
pub(crate) struct Writer {
    link: Link,
    discovery: Arc<Discovery>,
    permits: Semaphore,
}

/// Where an object is served.
struct Place {
    request: Request,
    facts: KindFacts,
    object: ObjectRef,
}

// === impl Writer ===

impl Writer {
    pub(crate) fn new(link: Link, discovery: Arc<Discovery>) -> Self {
        Self { link, discovery, permits: Semaphore::new(CONCURRENCY) }
    }

    /// Waits for the permit to send one write.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.permits.acquire().await.ok()
    }

    /// Applies a document, and returns the whole object as it is afterwards.
    pub(crate) async fn apply(&self, apply: Apply<'_>) -> Result<(Kind, Document), WriteError> {
        let place = self.find(reference(apply.document)?).await?;
        let params = PatchParams {
            force: apply.force,
            field_manager: Some(apply.manager.to_owned()),
            // An apply of a field that no schema declares is refused anyway, as it can't be merged.
            // Validation would only parse everything once more to find duplicate keys, which
            // documents from here never have.
            field_validation: Some(ValidationDirective::Ignore),
            dry_run: false,
        };
        let text = lines::text(apply.document).map_err(|error| WriteError::Invalid {
            object: place.object.to_string(),
            message: format!("it can't be written down: {error}"),
        })?;
        let patch = Patch::Apply(text);
        let name = &place.object.name;
        let request = || match apply.target {
            Target::Status if place.facts.status_subresource => {
                place.request.patch_subresource("status", name, &params, &patch)
            }
            Target::Status | Target::Object => place.request.patch(name, &params, &patch),
        };
        let document = self.send(&place, apply.manager, request).await?;
        Ok((place.object.kind, document))
    }

    /// Deletes the object that has this uid and version. Its dependents follow in the background.
    pub(crate) async fn delete(&self, object: &ObjectRef, uid: &str, version: Option<u64>) -> Result<(), WriteError> {
        let place = match self.find(object.clone()).await {
            Err(WriteError::NotFound { .. }) => return Ok(()),
            place => place?,
        };
        let preconditions =
            Preconditions { uid: Some(uid.to_owned()), resource_version: version.map(|version| version.to_string()) };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        let request = || place.request.delete(&object.name, &params);
        match self.send::<IgnoredAny>(&place, "", request).await {
            Err(WriteError::NotFound { .. }) => Ok(()),
            response => response.map(|_| ()),
        }
    }

    /// Adds a finalizer by an apply of its own. Finalizers are a set in which each field manager
    /// owns its members, so other ones are not touched, and nothing has to be read first.
    pub(crate) async fn add_finalizer(
        &self,
        object: &ObjectRef,
        uid: &str,
        finalizer: &str,
    ) -> Result<Document, WriteError> {
        let mut document = object.document(uid);
        document["metadata"]["finalizers"] = json!([finalizer]);
        // A field manager of its own: with the reconciler's, the next apply of the reconciler would
        // remove the finalizer.
        let manager = format!("{finalizer}.finalizer");
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        Ok(self.apply(apply).await?.1)
    }

    /// Removes a finalizer, whichever field manager owns it. `None`: the object is gone, or does
    /// not have it.
    pub(crate) async fn remove_finalizer(
        &self,
        object: &ObjectRef,
        uid: &str,
        finalizer: &str,
    ) -> Result<Option<Document>, WriteError> {
        let place = self.find(object.clone()).await?;
        let mut raced = None;
        for _ in 0..RACES {
            let current: Document =
                match self.send(&place, finalizer, || place.request.get(&object.name, &GetParams::default())).await {
                    Err(WriteError::NotFound { .. }) => return Ok(None),
                    current => current?,
                };
            let metadata = &current.value()["metadata"];
            let finalizers = metadata["finalizers"].as_array().map(Vec::as_slice).unwrap_or_default();
            if metadata["uid"] != uid || !finalizers.iter().any(|own| own == finalizer) {
                return Ok(None);
            }
            let rest: Vec<&Value> = finalizers.iter().filter(|own| **own != finalizer).collect();
            // The revision makes the patch fail if the object has changed: a finalizer that was
            // added must not be removed.
            let patch =
                Patch::Merge(json!({"metadata": {"finalizers": rest, "resourceVersion": metadata["resourceVersion"]}}));
            let params =
                PatchParams { field_manager: Some(format!("{finalizer}.finalizer")), ..PatchParams::default() };
            match self.send(&place, finalizer, || place.request.patch(&object.name, &params, &patch)).await {
                Err(WriteError::NotFound { .. }) => return Ok(None),
                Err(error @ WriteError::Stale { .. }) => raced = Some(error),
                patched => return patched.map(Some),
            }
        }
        let message = format!("other clients changed it {RACES} times during the removal of `{finalizer}`");
        Err(raced.unwrap_or(WriteError::Stale { object: object.to_string(), message }))
    }

    async fn find(&self, object: ObjectRef) -> Result<Place, WriteError> {
        let facts = match self.discovery.facts(&object.kind).await {
            Ok(facts) => facts,
            Err(error) => return Err(unknown_kind(object.to_string(), &error)),
        };
        let invalid = |message: &str| WriteError::Invalid { object: object.to_string(), message: message.to_owned() };
        match (&object.namespace, facts.namespaced) {
            (None, true) => {
                return Err(invalid("`metadata.namespace` is missing, and the kind is namespaced"));
            }
            (Some(_), false) => {
                return Err(invalid("`metadata.namespace` is set, and the kind is cluster-scoped"));
            }
            _ => {}
        }
        let request = Request::new(Discovery::path(&object.kind, &facts, object.namespace.as_deref()));
        Ok(Place { request, facts, object })
    }

    /// Sends a write, again if the API server responds 429.
    async fn send<T: DeserializeOwned>(
        &self,
        place: &Place,
        manager: &str,
        request: impl Fn() -> Result<HttpRequest<Vec<u8>>, request::Error>,
    ) -> Result<T, WriteError> {
        for _ in 1..SENDS {
            // A write that waits to be sent again leaves its permit to others.
            let response = {
                let _permit = self.permit().await;
                self.link.send(request()).await
            };
            match response {
                Err(Fault::Refused(status)) if status.code == 429 => {
                    let after = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                    tokio::time::sleep(Duration::from_secs(after.max(1).into()).min(LONGEST_RETRY_AFTER)).await;
                }
                response => return response.map_err(|fault| self.refused(place, manager, fault)),
            }
        }
        let _permit = self.permit().await;
        self.link.send(request()).await.map_err(|fault| self.refused(place, manager, fault))
    }

    fn refused(&self, place: &Place, manager: &str, fault: Fault) -> WriteError {
        // The API server's message for a missing kind, in contrast to a missing object.
        if fault.code() == 404 && fault.to_string().contains("could not find the requested resource") {
            self.discovery.recheck(place.object.kind.group());
        }
        write_error(place.object.to_string(), manager, fault)
    }
}

/// The identity of a document.
fn reference(document: &Value) -> Result<ObjectRef, WriteError> {
    Object::reference_of(document)
        .map_err(|error| WriteError::Invalid { object: "a document".to_owned(), message: error.to_string() })
}

#[cfg(test)]
mod tests;
