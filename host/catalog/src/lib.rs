//! Loads components, checks them against their configuration, swaps revisions.
//!
//! ```text
//!   Configuration ─► Catalog::refresh: load what changed ─► check config and grants ─► Entry: the last good revision,
//!   file changed ──────────┘                                                                  and what is wrong with the newest
//! ```

mod check;
mod renderers;
mod watch;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_config::{Component, Configuration, Limits, Origin, Problem, Reconciler, Renderer};
use mizzen_model::{Digest, Invoke};

pub use renderers::{Loading, RendererEntry};
pub use watch::FileWatch;

/// Loads a component from a file: the sandbox, or, in tests, something simpler.
#[async_trait]
pub trait Loader: Send + Sync {
    /// The component of these bytes of a file, with limits for each call. The error says what is wrong with the component.
    async fn load(&self, file: &Path, bytes: Vec<u8>, limits: Limits) -> Result<Arc<dyn Invoke>, String>;

    /// The renderer in a file, which is too large to be held. Asked at each refresh: cheap when the file is the same, and never long.
    async fn load_renderer(&self, renderer: &Renderer, file: &Path) -> Result<Loading, String>;
}

/// One reconciler with its plugin.
#[derive(Clone)]
pub struct Entry {
    /// The configuration. While one that does not fit waits for its component, or for being put right, the `config` in here is the last
    /// one that did fit: a plugin is never asked with a configuration that its schema refuses. Everything else is the newest, so
    /// that a grant that was taken back is gone at once.
    pub reconciler: Arc<Reconciler>,
    /// The last good revision; `None`: there never was one.
    pub invoke: Option<Arc<dyn Invoke>>,
    /// What is wrong with the newest revision, or with its configuration.
    pub problems: Vec<Problem>,
}

/// What became of components while a configuration is taken in, so that one that several reconcilers share is loaded once.
type Tried = HashMap<(Digest, Limits), Result<Arc<dyn Invoke>, String>>;

/// The components of a host.
pub struct Catalog {
    loader: Arc<dyn Loader>,
    plugins: Option<PathBuf>,
    /// By reconciler.
    entries: HashMap<String, Loaded>,
    /// By renderer.
    renderers: HashMap<String, RendererEntry>,
}

struct Loaded {
    entry: Entry,
    /// What a call of the entry's revision may cost: what was configured when it was loaded.
    limits: Limits,
}

// === impl Catalog ===

impl Catalog {
    /// An empty catalog. `plugins` is the folder that files are relative to; without it, they are relative to the document's.
    pub fn new(loader: Arc<dyn Loader>, plugins: Option<PathBuf>) -> Self {
        Self { loader, plugins, entries: HashMap::new(), renderers: HashMap::new() }
    }

    /// The file that a reconciler's component is in.
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

    /// The same for renderers as [`Catalog::refresh`] for reconcilers.
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

    /// Brings the catalog up to date with a configuration and with the files: loads what is new or changed, keeps the last good
    /// revision of what does not load.
    pub async fn refresh(&mut self, configuration: &Configuration) -> Vec<Entry> {
        let (mut entries, mut shared) = (Vec::new(), self.running());
        for reconciler in &configuration.reconcilers {
            let known = self.entries.remove(&reconciler.name);
            let loaded = self.load(reconciler, known, &mut shared).await;
            entries.push(loaded.entry.clone());
            self.entries.insert(reconciler.name.clone(), loaded);
        }
        self.entries.retain(|name, _| configuration.reconcilers.iter().any(|reconciler| reconciler.name == *name));
        entries
    }

    /// What runs, by what it was made of.
    fn running(&self) -> Tried {
        let running = self.entries.values().filter_map(|loaded| {
            let invoke = loaded.entry.invoke.as_ref()?;
            Some(((invoke.digest(), loaded.limits), Ok(Arc::clone(invoke))))
        });
        running.collect()
    }

    async fn load(&self, reconciler: &Arc<Reconciler>, known: Option<Loaded>, tried: &mut Tried) -> Loaded {
        let file = self.file(reconciler);
        let revision = self.revision(&file, reconciler.limits, tried).await;
        let last_config = known.as_ref().map(|known| known.entry.reconciler.config.clone());
        let last_good = known.and_then(|known| Some((known.entry.invoke?, known.limits)));
        let (running, problems) = match revision {
            Ok(invoke) => {
                let problems = check::check(reconciler, invoke.description());
                if problems.is_empty() { (Some((invoke, reconciler.limits)), problems) } else { (last_good, problems) }
            }
            Err(why) => {
                let message = format!("component {}: {why}", file.display());
                (last_good, vec![reconciler.problem("spec.component.file", message)])
            }
        };
        // What went on would be shown its own default subjects from now on: better that nothing goes on.
        let running = running.filter(|(invoke, _)| check::subject(reconciler, invoke.description()).is_none());
        let (invoke, limits) = running.unzip();
        let reconciler = match (&invoke, last_config) {
            (Some(invoke), Some(config)) if !check::config(reconciler, invoke.description()).is_empty() => {
                Arc::new(Reconciler { config, ..Reconciler::clone(reconciler) })
            }
            _ => Arc::clone(reconciler),
        };
        Loaded { entry: Entry { reconciler, invoke, problems }, limits: limits.unwrap_or_default() }
    }

    /// The component that is in a file now.
    async fn revision(&self, file: &Path, limits: Limits, tried: &mut Tried) -> Result<Arc<dyn Invoke>, String> {
        let bytes = tokio::fs::read(file).await.map_err(|error| error.to_string())?;
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
