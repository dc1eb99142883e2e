//! What a call reaches of the cluster: each read checked against declaration and grant, recorded, then answered from the cache.

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
use serde_json::Value;

use crate::context::Context;
use crate::plugin::{Key, Plugin};
use crate::reads::index::Read;
use crate::reads::outbound::{Traffic, document};

/// The reads of one call.
pub(crate) struct Recorder {
    key: Key,
    pub(crate) plugin: Plugin,
    subject: ObjectRef,
    /// The subject, as far as its author wrote it.
    pub(crate) document: Value,
    pub(crate) context: Context,
    pub(crate) traffic: Traffic,
    made: Mutex<HashSet<Arc<Read>>>,
    versions: Mutex<HashMap<ObjectRef, u64>>,
    failed: AtomicBool,
    timed: AtomicBool,
    bytes: AtomicU64,
}

/// What a call has read.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The reads, as the index holds them.
    pub(crate) reads: HashSet<Arc<Read>>,
    /// The resource versions that objects had, of kinds that the plugin applies.
    pub(crate) versions: HashMap<ObjectRef, u64>,
    /// Whether any had no answer: then nothing may be pruned.
    pub(crate) failed: bool,
    /// Whether the clock was read: then the answer is not reused.
    pub(crate) timed: bool,
    /// Bytes of JSON handed to the guest.
    pub(crate) bytes: u64,
    /// Requests sent, redirects included, and bytes of their answers.
    pub(crate) traffic: (u64, u64),
}

// === impl Recorder ===

impl Recorder {
    /// `wish` is the subject as the plugin is given it.
    pub(crate) fn new(key: Key, plugin: Plugin, subject: ObjectRef, wish: &str, context: &Context) -> Self {
        // Nobody else looks into it.
        let document = if plugin.reconciler.grants.network.hosts.is_empty() { Value::Null } else { document(wish) };
        Self {
            key,
            plugin,
            subject,
            document,
            traffic: Traffic::default(),
            context: context.clone(),
            made: Mutex::default(),
            versions: Mutex::default(),
            failed: AtomicBool::new(false),
            timed: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
        }
    }

    /// What was read so far.
    pub(crate) fn recorded(&self) -> Recorded {
        Recorded {
            reads: std::mem::take(&mut *self.made.lock()),
            versions: std::mem::take(&mut *self.versions.lock()),
            failed: self.failed.load(Ordering::Relaxed),
            timed: self.timed.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            traffic: self.traffic.counts(),
        }
    }

    pub(crate) fn record(&self, read: Read) {
        let read = self.context.index().record(self.key, read);
        self.made.lock().insert(read);
    }

    /// Lets a read through if the plugin declared it and the operator granted it; gives the fields that come back.
    fn admit(&self, kind: &Kind, namespace: Option<&str>, fields: Option<&str>) -> Result<Fields, AccessError> {
        let (name, description) = (self.plugin.name(), self.plugin.invoke.description());
        if *kind == Kind::new("v1", "Secret") {
            return Err(AccessError::Denied("plugins never see Secrets; ask for a credential instead".into()));
        }
        if !description.declares(Access::Read, kind) {
            return Err(AccessError::Denied(format!("`{name}` did not declare reading {kind} in `describe`")));
        }
        if self.plugin.reconciler.grants.find(Access::Read, kind, namespace).is_none() {
            let place =
                namespace.map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
            return Err(AccessError::Denied(format!("reading {kind} in {place} is not granted to `{name}`")));
        }
        match fields {
            Some(set) => match description.field_sets.get(set) {
                Some(declared) if declared.kind == *kind => Ok(declared.fields.clone()),
                Some(declared) => {
                    Err(AccessError::Invalid(format!("field set `{set}` is of {}, not of {kind}", declared.kind)))
                }
                None => Err(AccessError::Denied(format!("`{name}` did not declare a field set `{set}`"))),
            },
            None => match description.visible(kind) {
                Fields::Whole => Ok(Fields::Whole),
                Fields::Some(_) => {
                    Err(AccessError::Denied(format!("`{name}` declared field sets of {kind}: name one of them")))
                }
            },
        }
    }

    /// Notes how a read ended. "Not served" is recorded too: the reader is asked again when the kind appears.
    fn settle<T>(&self, kind: &Kind, answer: Result<T, AccessError>) -> Result<T, AccessError> {
        if let Err(error) = &answer {
            self.failed.store(true, Ordering::Relaxed);
            if matches!(error, AccessError::NotServed(_)) {
                self.record(Read::Serves(kind.clone()));
            }
        }
        answer
    }

    /// Notes in which versions objects of one kind were read, where the plugin may want them in another.
    fn seen(&self, kind: &Kind, objects: &[Arc<Object>]) {
        if self.plugin.invoke.description().declares(Access::Apply, kind) {
            let versions = objects.iter().map(|object| (object.reference.clone(), object.resource_version));
            self.versions.lock().extend(versions);
        }
    }

    fn project(&self, object: &Arc<Object>, fields: &Fields) -> Arc<Object> {
        let projected = object.project(fields);
        self.bytes.fetch_add(projected.json().len() as u64, Ordering::Relaxed);
        projected
    }

    /// Which renderers the plugin may call: none unless it declared that it does, and the operator granted some.
    fn renderers_granted(&self) -> Result<&Selector, AccessError> {
        let name = self.plugin.name();
        if self.plugin.invoke.description().renderers.is_empty() {
            return Err(AccessError::Denied(format!("`{name}` did not declare calling renderers in `describe`")));
        }
        self.plugin.reconciler.grants.renderers.as_ref().ok_or_else(|| {
            AccessError::Denied(format!("no renderer is granted to `{name}`: add `spec.grants.renderers.matchLabels`"))
        })
    }

    async fn rendered(&self, renderer: &str, function_config: &str) -> Result<Rendered, RenderError> {
        let grant = self.renderers_granted()?;
        // Recorded also when there is none of this name: it may come.
        self.record(Read::Render(renderer.into()));
        let name = self.plugin.name();
        let denied = || {
            AccessError::Denied(format!("renderer `{renderer}` is not there, or not granted to `{name}` by its labels"))
        };
        let spec = self.context.renderers.find(renderer, grant).ok_or_else(denied)?;
        let render = spec.render.map_err(|why| AccessError::Unavailable(format!("renderer `{renderer}`: {why}")))?;
        let objects = render.render(function_config).await?;
        self.bytes.fetch_add(objects.iter().map(|object| object.len() as u64).sum(), Ordering::Relaxed);
        Ok(objects)
    }

    /// The objects of a list, not yet projected.
    fn select(&self, query: &Query) -> Result<(Fields, Vec<Arc<Object>>), AccessError> {
        let fields = self.admit(&query.kind, query.namespace.as_deref(), query.fields.as_deref())?;
        let (labels, values) = (&query.labels, &query.values);
        if let Some(values) = values {
            values.admit(query.fields.as_deref(), &fields).map_err(|why| AccessError::Denied(why.to_string()))?;
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
        Ok((fields, objects))
    }

    fn namespaces(&self, labels: &Selector) -> Result<HashSet<Arc<str>>, AccessError> {
        let kind = Kind::new("v1", "Namespace");
        self.admit(&kind, None, None).map_err(|error| match error {
            AccessError::Denied(why) => {
                AccessError::Denied(format!("selecting by namespace labels reads namespaces: {why}"))
            }
            other => other,
        })?;
        let fields = Fields::identity();
        self.record(Read::List { kind: kind.clone(), namespace: None, labels: labels.clone(), values: None, fields });
        let namespaces = self.context.cluster.list(Scope::All, &kind, &Selection::labelled(labels))?;
        Ok(namespaces.iter().map(|namespace| Arc::clone(&namespace.reference.name)).collect())
    }
}

#[async_trait]
impl Reads for Recorder {
    async fn get(&self, object: &ObjectRef, fields: Option<&str>) -> Result<Option<Arc<Object>>, AccessError> {
        let answer = self.admit(&object.kind, object.namespace.as_deref(), fields).and_then(|fields| {
            self.record(Read::Get { object: object.clone(), fields: fields.clone() });
            let found = self.context.cluster.get(Scope::All, object)?;
            self.seen(&object.kind, found.as_slice());
            Ok(found.map(|found| self.project(&found, &fields)))
        });
        self.settle(&object.kind, answer)
    }

    async fn list(&self, query: &Query) -> Result<Vec<Arc<Object>>, AccessError> {
        let answer = self.select(query).map(|(fields, objects)| {
            self.seen(&query.kind, &objects);
            objects.iter().map(|object| self.project(object, &fields)).collect()
        });
        self.settle(&query.kind, answer)
    }

    async fn count(&self, query: &Query) -> Result<u64, AccessError> {
        let answer = self.select(query).map(|(_, objects)| objects.len() as u64);
        self.settle(&query.kind, answer)
    }

    async fn serves(&self, kind: &Kind) -> bool {
        self.record(Read::Serves(kind.clone()));
        !matches!(self.context.cluster.facts(kind).await, Err(ReadError::NotServed(_)))
    }

    async fn renderers(&self) -> Vec<Renderer> {
        let Ok(grant) = self.renderers_granted() else { return Vec::new() };
        self.record(Read::Renderers(grant.clone()));
        self.context.renderers.granted(grant)
    }

    async fn render(&self, renderer: &str, function_config: &str) -> Result<Rendered, RenderError> {
        let answer = self.rendered(renderer, function_config).await;
        // Also what was rejected is not known: nothing is pruned for want of it.
        self.failed.fetch_or(answer.is_err(), Ordering::Relaxed);
        answer
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, AccessError> {
        let answer = self.fetch(request).await;
        // Nothing tells when it would be another.
        self.timed.store(true, Ordering::Relaxed);
        self.failed.fetch_or(answer.is_err(), Ordering::Relaxed);
        answer
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
