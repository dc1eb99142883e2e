//! The components of a host, by reconciler and renderer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizzen_config::{Component, Configuration, Limits, Origin, Problem, Reconciler};
use mizzen_model::{Digest, Invoke, LoadError};

use crate::check;
use crate::loader::Loader;
use crate::renderers::RendererEntry;

/// A reconciler with its plugin.
#[derive(Clone)]
pub struct Entry {
    /// The configuration. If the newest `config` does not match the plugin's schema, the `config`
    /// in here is the last one that did: a plugin is never called with a configuration that its
    /// schema refuses. Everything else is the newest, so that the removal of a grant takes effect
    /// at once.
    pub reconciler: Arc<Reconciler>,
    /// The last good revision; `None`: there is none.
    pub invoke: Option<Arc<dyn Invoke>>,
    /// What is wrong with the newest revision, or with its configuration.
    pub problems: Vec<Problem>,
}

/// The components of a host.
pub struct Catalog {
    loader: Arc<dyn Loader>,
    plugins: Option<PathBuf>,
    /// By reconciler.
    entries: HashMap<String, Loaded>,
    /// By renderer.
    renderers: HashMap<String, RendererEntry>,
}

/// The results of loading components during one refresh, so that a component of several reconcilers
/// is loaded once.
type Tried = HashMap<(Digest, Limits), Result<Arc<dyn Invoke>, LoadError>>;

/// A revision with the limits of its calls.
struct Revision {
    invoke: Arc<dyn Invoke>,
    limits: Limits,
}

struct Loaded {
    entry: Entry,
    /// The limits with which the entry's revision was loaded.
    limits: Limits,
}

// === impl Catalog ===

impl Catalog {
    /// An empty catalog. Files are relative to the folder `plugins`, or without it to the folder of
    /// their document.
    pub fn new(loader: Arc<dyn Loader>, plugins: Option<PathBuf>) -> Self {
        Self { loader, plugins, entries: HashMap::new(), renderers: HashMap::new() }
    }

    /// The file of a reconciler's component.
    pub fn file(&self, reconciler: &Reconciler) -> PathBuf {
        self.path(&reconciler.component, &reconciler.origin)
    }

    fn path(&self, component: &Component, origin: &Origin) -> PathBuf {
        let Component::File(file) = component;
        match (&self.plugins, origin) {
            (Some(plugins), _) => plugins.join(file),
            (None, Origin::File { file: document, .. }) => document.parent().unwrap_or(Path::new("")).join(file),
            (None, Origin::Cluster) => file.clone(),
        }
    }

    /// As [`Catalog::refresh`], for renderers.
    pub async fn refresh_renderers(&mut self, configuration: &Configuration) -> Vec<RendererEntry> {
        let mut entries = Vec::new();
        for renderer in &configuration.renderers {
            let file = self.path(&renderer.component, &renderer.origin);
            let loaded = self.loader.load_renderer(renderer, &file).await;
            let entry = RendererEntry::after(renderer, &file, self.renderers.get(&renderer.name), loaded);
            entries.push(entry.clone());
            self.renderers.insert(renderer.name.clone(), entry);
        }
        self.renderers.retain(|name, _| configuration.renderers.iter().any(|renderer| renderer.name == *name));
        entries
    }

    /// Brings the catalog up to date with a configuration and with the files: loads new and changed
    /// components, and keeps the last good revision of a component that can't be loaded.
    pub async fn refresh(&mut self, configuration: &Configuration) -> Vec<Entry> {
        let (mut entries, mut tried) = (Vec::new(), self.running());
        for reconciler in &configuration.reconcilers {
            let known = self.entries.remove(&reconciler.name);
            let loaded = self.load(reconciler, known, &mut tried).await;
            entries.push(loaded.entry.clone());
            self.entries.insert(reconciler.name.clone(), loaded);
        }
        self.entries.retain(|name, _| configuration.reconcilers.iter().any(|reconciler| reconciler.name == *name));
        entries
    }

    /// The running revisions, by what they were loaded from.
    fn running(&self) -> Tried {
        let running = self.entries.values().filter_map(|loaded| {
            let invoke = loaded.entry.invoke.as_ref()?;
            Some(((invoke.digest(), loaded.limits), Ok(Arc::clone(invoke))))
        });
        running.collect()
    }

    async fn load(&self, reconciler: &Arc<Reconciler>, known: Option<Loaded>, tried: &mut Tried) -> Loaded {
        let limits = reconciler.limits;
        let newest = self.revision(&self.file(reconciler), limits, tried).await;
        let problems = match &newest {
            Ok(invoke) => check::check(reconciler, invoke.description()),
            Err(error) => {
                let message = format!("component {}: {error}", self.file(reconciler).display());
                vec![reconciler.problem("spec.component.file", message)]
            }
        };
        let last_config = known.as_ref().map(|known| known.entry.reconciler.config.clone());
        let last_good = known.and_then(|known| Some(Revision { invoke: known.entry.invoke?, limits: known.limits }));
        let newest = newest.ok().filter(|_| problems.is_empty()).map(|invoke| Revision { invoke, limits });
        // A revision must not run with subjects of another kind, even if it ran before.
        let running =
            newest.or(last_good).filter(|running| check::subject(reconciler, running.invoke.description()).is_none());
        let reconciler = match (&running, last_config) {
            (Some(Revision { invoke, .. }), Some(config))
                if !check::config(reconciler, invoke.description()).is_empty() =>
            {
                Arc::new(Reconciler { config, ..Reconciler::clone(reconciler) })
            }
            _ => Arc::clone(reconciler),
        };
        let limits = running.as_ref().map(|running| running.limits).unwrap_or_default();
        let invoke = running.map(|running| running.invoke);
        Loaded { entry: Entry { reconciler, invoke, problems }, limits }
    }

    /// The component that is in a file now.
    async fn revision(&self, file: &Path, limits: Limits, tried: &mut Tried) -> Result<Arc<dyn Invoke>, LoadError> {
        let bytes = tokio::fs::read(file).await.map_err(LoadError::new)?;
        let key = (Digest::of(&bytes), limits);
        if let Some(known) = tried.get(&key) {
            return known.clone();
        }
        let loaded = self.loader.load(file, bytes, limits).await;
        tried.insert(key, loaded.clone());
        loaded
    }
}

#[cfg(test)]
mod tests;
