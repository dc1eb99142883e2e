//! The reads of one call: checked, recorded in the index, then answered from the stores.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use mizzen_cluster::{ReadError, Scope, Selection};
use mizzen_model::read::Level;
use mizzen_model::{
    Access, AccessError, Fields, HttpRequest, HttpResponse, Kind, Object, ObjectRef, Query, Reads, RenderError,
    Rendered, Renderer, Selector,
};
use parking_lot::Mutex;
use tracing::Instrument;

use super::access::{declares_kind, granted_renderers, readable_fields};
use super::index::Read;
use super::outbound::Outbound;
use crate::context::Context;
use crate::observe::Traffic;
use crate::plugin::{Key, Plugin};

/// Bytes of objects that one call is given. Stops a plugin from having the host project and keep large lists again and
/// again, which no limit of the guest's own memory prevents.
const READ_BYTES: u64 = 128 << 20;

/// Records the reads of one call.
pub(crate) struct Recorder {
    key: Key,
    plugin: Plugin,
    subject: ObjectRef,
    context: Context,
    outbound: Outbound,
    made: Mutex<HashSet<Arc<Read>>>,
    versions: Mutex<HashMap<ObjectRef, u64>>,
    failed: AtomicBool,
    timed: AtomicBool,
    bytes: AtomicU64,
}

/// The reads that a call made.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The reads, shared with the index.
    pub(crate) reads: HashSet<Arc<Read>>,
    /// The resource versions of the objects read, of kinds that the plugin applies.
    pub(crate) versions: HashMap<ObjectRef, u64>,
    /// Whether a read failed: then nothing may be pruned.
    pub(crate) failed: bool,
    /// Whether the outcome depends on time: then it is not reused.
    pub(crate) timed: bool,
    /// Whether a request was withheld, because the call was a preflight.
    pub(crate) withheld: bool,
    /// Bytes of JSON passed to the guest.
    pub(crate) bytes: u64,
    pub(crate) traffic: Traffic,
}

// === impl Recorder ===

impl Recorder {
    /// `authored` is the part of the subject that its author writes.
    pub(crate) fn new(key: Key, plugin: Plugin, subject: ObjectRef, authored: &str, context: &Context) -> Self {
        let outbound = Outbound::new(plugin.clone(), authored, context);
        Self {
            key,
            plugin,
            subject,
            context: context.clone(),
            outbound,
            made: Mutex::default(),
            versions: Mutex::default(),
            failed: AtomicBool::new(false),
            timed: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
        }
    }

    /// Withholds requests that could change something: the call is a preflight.
    pub(crate) fn preflight(self) -> Self {
        Self { outbound: self.outbound.preflight(), ..self }
    }

    /// What the call has read, once it is done.
    pub(crate) fn recorded(&self) -> Recorded {
        Recorded {
            reads: std::mem::take(&mut *self.made.lock()),
            versions: std::mem::take(&mut *self.versions.lock()),
            failed: self.failed.load(Ordering::Relaxed),
            timed: self.timed.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            withheld: self.outbound.has_withheld(),
            traffic: self.outbound.traffic(),
        }
    }

    fn record(&self, read: Read) {
        let read = self.context.index().record(self.key, read);
        self.made.lock().insert(read);
    }

    /// Records whether a read failed. "Not served" is recorded as a read: the reader is requeued when the kind is
    /// served.
    fn note_failure<T>(&self, kind: &Kind, result: Result<T, AccessError>) -> Result<T, AccessError> {
        if let Err(error) = &result {
            self.failed.store(true, Ordering::Relaxed);
            if matches!(error, AccessError::NotServed(_)) {
                self.record(Read::Serves(kind.clone()));
            }
        }
        result
    }

    /// Records the versions of objects that the plugin may want to apply.
    fn note_versions(&self, kind: &Kind, objects: &[Arc<Object>]) {
        if self.plugin.invoke.description().declares(Access::Apply, kind) {
            let versions = objects.iter().map(|object| (object.reference.clone(), object.resource_version));
            self.versions.lock().extend(versions);
        }
    }

    /// The object as the guest is given it.
    ///
    /// # Errors
    /// The call has been given more than [`READ_BYTES`].
    fn project(&self, object: &Arc<Object>, fields: &Fields) -> Result<Arc<Object>, AccessError> {
        let projected = object.project(fields);
        let bytes = projected.json().len() as u64;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > READ_BYTES {
            let most = READ_BYTES >> 20;
            return Err(AccessError::Invalid(format!(
                "the call has read more than {most} MiB: select fewer objects, or fewer fields of them"
            )));
        }
        Ok(projected)
    }

    async fn rendered(&self, renderer: &str, function_config: &str) -> Result<Rendered, RenderError> {
        let grant = granted_renderers(&self.plugin)?;
        // Recorded even if there is no such renderer: it may be configured later.
        self.record(Read::Render(renderer.into()));
        let name = self.plugin.name();
        let denied = || {
            AccessError::Denied(format!(
                "renderer `{renderer}` does not exist, or is not granted to `{name}` by its labels"
            ))
        };
        let spec = self.context.renderers.find(renderer, grant).ok_or_else(denied)?;
        let render =
            spec.render.map_err(|error| AccessError::Unavailable(format!("renderer `{renderer}`: {error}")))?;
        let span = tracing::debug_span!("render", renderer);
        let objects = render.render(function_config).instrument(span).await?;
        self.bytes.fetch_add(objects.iter().map(|object| object.len() as u64).sum(), Ordering::Relaxed);
        Ok(objects)
    }

    /// The objects that a query selects, not yet projected, and the fields to project them to.
    fn select(&self, query: &Query) -> Result<Selected, AccessError> {
        let fields = readable_fields(&self.plugin, &query.kind, query.namespace.as_deref(), query.fields.as_deref())?;
        let (labels, values) = (&query.labels, &query.values);
        if let Some(values) = values {
            values.admit(query.fields.as_deref(), &fields).map_err(|error| AccessError::Denied(error.to_string()))?;
        }
        self.record(Read::List {
            kind: query.kind.clone(),
            namespace: query.namespace.clone(),
            labels: labels.clone(),
            values: values.clone(),
            fields: fields.clone(),
        });
        let selection =
            Selection { namespace: query.namespace.as_deref(), labels: Some(labels), values: values.as_ref() };
        let mut objects = self.context.cluster.list(Scope::All, &query.kind, &selection)?;
        if !query.namespace_labels.is_everything() {
            let namespaces = self.namespaces(&query.namespace_labels)?;
            objects.retain(|object| object.reference.namespace.as_ref().is_some_and(|own| namespaces.contains(own)));
        }
        Ok(Selected { objects, fields })
    }

    fn namespaces(&self, labels: &Selector) -> Result<HashSet<Arc<str>>, AccessError> {
        let kind = Kind::new("v1", "Namespace");
        readable_fields(&self.plugin, &kind, None, None).map_err(|error| match error {
            AccessError::Denied(reason) => {
                AccessError::Denied(format!("selecting by namespace labels reads namespaces: {reason}"))
            }
            other => other,
        })?;
        let fields = Fields::identity();
        self.record(Read::List { kind: kind.clone(), namespace: None, labels: labels.clone(), values: None, fields });
        let namespaces = self.context.cluster.list(Scope::All, &kind, &Selection::labelled(labels))?;
        Ok(namespaces.iter().map(|namespace| Arc::clone(&namespace.reference.name)).collect())
    }
}

/// The objects that a query selects, and the fields that the plugin is given of them.
struct Selected {
    objects: Vec<Arc<Object>>,
    fields: Fields,
}

#[async_trait]
impl Reads for Recorder {
    async fn get(&self, object: &ObjectRef, fields: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        let result = readable_fields(&self.plugin, &object.kind, object.namespace.as_deref(), fields);
        let result = result.and_then(|fields| {
            self.record(Read::Get { object: object.clone(), fields: fields.clone() });
            let found = self.context.cluster.get(Scope::All, object)?;
            self.note_versions(&object.kind, found.as_slice());
            found.map(|found| self.project(&found, &fields)).transpose()
        });
        self.note_failure(&object.kind, result)
    }

    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        let result = self.select(query).and_then(|Selected { objects, fields }| {
            self.note_versions(&query.kind, &objects);
            objects.iter().map(|object| self.project(object, &fields)).collect()
        });
        self.note_failure(&query.kind, result)
    }

    async fn count(&self, query: &Query) -> Result<u64, AccessError> {
        let result = self.select(query).map(|selected| selected.objects.len() as u64);
        self.note_failure(&query.kind, result)
    }

    async fn serves(&self, kind: &Kind) -> Result<bool, AccessError> {
        declares_kind(&self.plugin, kind)?;
        self.record(Read::Serves(kind.clone()));
        Ok(!matches!(self.context.cluster.facts(kind).await, Err(ReadError::NotServed(_))))
    }

    async fn renderers(&self) -> Vec<Renderer> {
        let Ok(grant) = granted_renderers(&self.plugin) else { return Vec::new() };
        self.record(Read::Renderers(grant.clone()));
        self.context.renderers.granted(grant)
    }

    async fn render(&self, renderer: &str, function_config: &str) -> Result<Rendered, RenderError> {
        let result = self.rendered(renderer, function_config).await;
        // A document that the renderer rejects counts as well: without rendered objects nothing may be pruned.
        self.failed.fetch_or(result.is_err(), Ordering::Relaxed);
        result
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, AccessError> {
        let response = self.outbound.send(request, &|read| self.record(read)).await;
        // Nothing reports when the server would respond differently.
        self.timed.store(true, Ordering::Relaxed);
        self.failed.fetch_or(response.is_err(), Ordering::Relaxed);
        response
    }

    fn now(&self) -> u64 {
        self.timed.store(true, Ordering::Relaxed);
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn log(&self, level: Level, message: &str, fields: &[(String, String)]) {
        let (reconciler, subject) = (self.plugin.name(), &self.subject);
        let fields = fields.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ");
        match level {
            Level::Debug => tracing::debug!(target: "mizzen::plugin", reconciler, %subject, fields, "{message}"),
            Level::Info => tracing::info!(target: "mizzen::plugin", reconciler, %subject, fields, "{message}"),
            Level::Warn => tracing::warn!(target: "mizzen::plugin", reconciler, %subject, fields, "{message}"),
            Level::Error => tracing::error!(target: "mizzen::plugin", reconciler, %subject, fields, "{message}"),
        }
    }
}
