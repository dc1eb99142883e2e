//! Loads components, checks them against their configuration, swaps revisions.
//!
//! ```text
//!   Configuration ─► Catalog::refresh: load what changed ─► check config and grants ─► Entry: the last good revision,
//!   file changed ──────────┘                                                                  and what is wrong with the newest
//! ```

mod check;
mod watch;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use mizzen_config::{Component, Configuration, Limits, Origin, Reconciler};
use mizzen_model::{Digest, Invoke};

pub use watch::FileWatch;

/// Loads a component from a file: the sandbox, or, in tests, something simpler.
#[async_trait]
pub trait Loader: Send + Sync {
    /// The component of these bytes, with limits for each call. The error says what is wrong with the component.
    async fn load(&self, bytes: Vec<u8>, limits: Limits) -> Result<Arc<dyn Invoke>, String>;
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
    pub problems: Vec<String>,
}

/// The components of a host.
pub struct Catalog {
    loader: Arc<dyn Loader>,
    plugins: Option<PathBuf>,
    /// By reconciler.
    entries: HashMap<String, Loaded>,
}

struct Loaded {
    entry: Entry,
    /// Digest of the bytes that the entry is about, good or not.
    tried: Option<Digest>,
}

// === impl Catalog ===

impl Catalog {
    /// An empty catalog. `plugins` is the folder that files are relative to; without it, they are relative to the document's.
    pub fn new(loader: Arc<dyn Loader>, plugins: Option<PathBuf>) -> Self {
        Self { loader, plugins, entries: HashMap::new() }
    }

    /// The file that a reconciler's component is in.
    pub fn file(&self, reconciler: &Reconciler) -> PathBuf {
        let Component::File(file) = &reconciler.component;
        match (&self.plugins, &reconciler.origin) {
            (Some(plugins), _) => plugins.join(file),
            (None, Origin::File { file: document, .. }) => document.parent().unwrap_or(Path::new("")).join(file),
            (None, Origin::Cluster) => file.clone(),
        }
    }

    /// Brings the catalog up to date with a configuration and with the files: loads what is new or changed, keeps the last good
    /// revision of what does not load.
    pub async fn refresh(&mut self, configuration: &Configuration) -> Vec<Entry> {
        let mut entries = Vec::new();
        for reconciler in &configuration.reconcilers {
            let known = self.entries.remove(&reconciler.name);
            let loaded = self.load(reconciler, known).await;
            entries.push(loaded.entry.clone());
            self.entries.insert(reconciler.name.clone(), loaded);
        }
        self.entries.retain(|name, _| configuration.reconcilers.iter().any(|reconciler| reconciler.name == *name));
        entries
    }

    async fn load(&self, reconciler: &Arc<Reconciler>, known: Option<Loaded>) -> Loaded {
        let file = self.file(reconciler);
        let bytes = tokio::fs::read(&file).await;
        let tried = bytes.as_ref().ok().map(Digest::of);
        let same_limits = |loaded: &&Loaded| loaded.entry.reconciler.limits == reconciler.limits;
        // The same bytes again: nothing to load, but the configuration may fit now, or no longer.
        let reloaded =
            match known.as_ref().filter(same_limits).filter(|known| known.tried.is_some() && known.tried == tried) {
                Some(Loaded { entry, .. }) if entry.invoke.as_ref().map(|invoke| invoke.digest()) == tried => {
                    Ok(entry.invoke.clone())
                }
                _ => match bytes {
                    Ok(bytes) => self.loader.load(bytes, reconciler.limits).await.map(Some),
                    Err(error) => Err(error.to_string()),
                },
            };
        let last_config = known.as_ref().map(|known| known.entry.reconciler.config.clone());
        let last_good = known.and_then(|known| known.entry.invoke);
        let (invoke, problems) = match reloaded {
            Ok(Some(invoke)) => {
                let problems = check::check(reconciler, invoke.description());
                if problems.is_empty() { (Some(invoke), problems) } else { (last_good, problems) }
            }
            Ok(None) => (last_good, Vec::new()),
            Err(why) => (last_good, vec![format!("component {}: {why}", file.display())]),
        };
        // What went on would be shown its own default subjects from now on: better that nothing goes on.
        let invoke = invoke.filter(|invoke| check::subject(reconciler, invoke.description()).is_none());
        let reconciler = match (&invoke, last_config) {
            (Some(invoke), Some(config)) if !check::config(reconciler, invoke.description()).is_empty() => {
                Arc::new(Reconciler { config, ..Reconciler::clone(reconciler) })
            }
            _ => Arc::clone(reconciler),
        };
        Loaded { entry: Entry { reconciler, invoke, problems }, tried }
    }
}

#[cfg(test)]
mod tests;
