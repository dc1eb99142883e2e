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

/// How many writes are under way at once. Each holds a connection (HTTP/1.1), and a plugin that asks for ten thousand objects
/// must neither take all the file descriptors nor all of the API server's attention.
const AT_ONCE: usize = 32;

/// How often a write is sent that the API server is too busy for.
const SENDS: u32 = 4;

/// The longest the API server may put a write off before that is an error; it holds its place meanwhile.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(10);

/// How often a finalizer's removal is tried when somebody else changes the object in between.
const RACES: u32 = 10;

/// Sends writes.
pub(crate) struct Writer {
    link: Link,
    discovery: Arc<Discovery>,
    places: Semaphore,
}

/// Where an object is, and what it is called in messages.
struct Place {
    request: Request,
    facts: KindFacts,
    object: ObjectRef,
}

impl Writer {
    pub(crate) fn new(link: Link, discovery: Arc<Discovery>) -> Self {
        Self { link, discovery, places: Semaphore::new(AT_ONCE) }
    }

    /// A place among the writes under way.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.places.acquire().await.ok()
    }

    /// Applies, and returns the whole object as it is then.
    pub(crate) async fn apply(&self, apply: Apply<'_>) -> Result<(Kind, Document), WriteError> {
        let place = self.find(reference(apply.document)?).await?;
        let params = PatchParams {
            force: apply.force,
            field_manager: Some(apply.manager.to_owned()),
            // An apply of a field that no schema declares is refused whatever is asked for, since it can't be merged. All that validation adds is to
            // parse everything once more, for keys that a map has twice; none that is written here has.
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

    /// Deletes the object that has this uid. Its dependents follow in the background.
    pub(crate) async fn delete(&self, object: &ObjectRef, uid: &str) -> Result<(), WriteError> {
        let place = match self.find(object.clone()).await {
            Err(WriteError::NotFound { .. }) => return Ok(()),
            place => place?,
        };
        let preconditions = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::background() };
        let request = || place.request.delete(&object.name, &params);
        match self.send::<IgnoredAny>(&place, "", request).await {
            Err(WriteError::NotFound { .. }) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    /// Adds a finalizer, by an apply of its own: finalizers are a set in which each manager owns its members, so nobody else's are
    /// touched and nothing has to be read first. The uid keeps it from creating the object.
    pub(crate) async fn add_finalizer(
        &self,
        object: &ObjectRef,
        uid: &str,
        finalizer: &str,
    ) -> Result<Document, WriteError> {
        let document = json!({
            "apiVersion": &*object.kind.api_version, "kind": &*object.kind.name,
            "metadata": {"name": &*object.name, "namespace": object.namespace.as_deref(), "uid": uid,
                         "finalizers": [finalizer]},
        });
        // A manager of its own: applied by a reconciler's, it would go with that reconciler's next apply to the object.
        let manager = format!("{finalizer}.finalizer");
        let apply = Apply { manager: &manager, document: &document, target: Target::Object, force: false };
        Ok(self.apply(apply).await?.1)
    }

    /// Removes a finalizer, whoever owns it. `None`: the object is gone, or does not have it.
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
            // With the revision, it fails if anything changed in between: a finalizer that came must not go with ours.
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
        let message = format!("others changed it {RACES} times while `{finalizer}` was to be removed");
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
                return Err(invalid("`metadata.namespace` is missing, and objects of this kind live in namespaces"));
            }
            (Some(_), false) => {
                return Err(invalid("`metadata.namespace` is set, and objects of this kind live in none"));
            }
            _ => {}
        }
        let request = Request::new(Discovery::path(&object.kind, &facts, object.namespace.as_deref()));
        Ok(Place { request, facts, object })
    }

    /// Sends a write, again when the API server asks for patience.
    async fn send<T: DeserializeOwned>(
        &self,
        place: &Place,
        manager: &str,
        request: impl Fn() -> Result<HttpRequest<Vec<u8>>, request::Error>,
    ) -> Result<T, WriteError> {
        let _place = self.place().await;
        for _ in 1..SENDS {
            match self.link.send(request()).await {
                Err(Fault::Refused(status)) if status.code == 429 => {
                    let asked = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
                    tokio::time::sleep(Duration::from_secs(asked.max(1).into()).min(LONGEST_RETRY_AFTER)).await;
                }
                answer => return answer.map_err(|fault| self.refused(place, manager, fault)),
            }
        }
        self.link.send(request()).await.map_err(|fault| self.refused(place, manager, fault))
    }

    fn refused(&self, place: &Place, manager: &str, fault: Fault) -> WriteError {
        // Not the object is missing then, but its kind.
        if fault.code() == 404 && fault.message().contains("could not find the requested resource") {
            self.discovery.doubt(place.object.kind.group());
        }
        write_error(place.object.to_string(), manager, fault)
    }
}

/// Which object a document is.
fn reference(document: &Value) -> Result<ObjectRef, WriteError> {
    Object::reference_of(document)
        .map_err(|error| WriteError::Invalid { object: "a document".to_owned(), message: error.to_string() })
}

#[cfg(test)]
mod tests;
