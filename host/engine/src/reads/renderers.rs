//! The renderers of a host: which of them a plugin may call, and which reads a replacement affects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mizzen_model::{LoadError, Render, Renderer, Selector};
use parking_lot::RwLock;

/// One renderer as it is configured, with its component or why there is none.
#[derive(Clone)]
pub struct RendererSpec {
    /// Its name and labels.
    pub renderer: Renderer,
    /// The last revision that could be loaded, or why there is none yet.
    pub render: Result<Arc<dyn Render>, LoadError>,
}

/// All renderers, by name. Read by calls while the configuration replaces them.
#[derive(Default)]
pub(crate) struct Renderers(RwLock<All>);

type All = Arc<BTreeMap<Arc<str>, RendererSpec>>;

/// The renderers before and after a replacement.
pub(crate) struct Replaced {
    before: All,
    after: All,
}

// === impl Renderers ===

impl Renderers {
    /// Replaces all renderers.
    pub(crate) fn replace(&self, specs: Vec<RendererSpec>) -> Replaced {
        let after: All = Arc::new(specs.into_iter().map(|spec| (Arc::clone(&spec.renderer.name), spec)).collect());
        let mut all = self.0.write();
        let before = std::mem::replace(&mut *all, Arc::clone(&after));
        Replaced { before, after }
    }

    /// The granted renderers, by name.
    pub(crate) fn granted(&self, grant: &Selector) -> Vec<Renderer> {
        granted(&self.all(), grant).cloned().collect()
    }

    /// A granted renderer.
    pub(crate) fn find(&self, name: &str, grant: &Selector) -> Option<RendererSpec> {
        self.all().get(name).filter(|spec| grant.matches(&spec.renderer.labels)).cloned()
    }

    fn all(&self) -> All {
        Arc::clone(&self.0.read())
    }
}

fn granted<'a>(all: &'a All, grant: &'a Selector) -> impl Iterator<Item = &'a Renderer> {
    all.values().map(|spec| &spec.renderer).filter(|renderer| grant.matches(&renderer.labels))
}

// === impl Replaced ===

impl Replaced {
    /// The names of the renderers that were added or removed, or render differently.
    pub(crate) fn names(&self) -> BTreeSet<Arc<str>> {
        let names = self.before.keys().chain(self.after.keys());
        let changed = |name: &&Arc<str>| match (self.before.get(*name), self.after.get(*name)) {
            (Some(before), Some(after)) => !before.renders_as(after),
            _ => true,
        };
        names.filter(changed).cloned().collect()
    }

    /// Whether a grant covers other renderers than before.
    pub(crate) fn changes_for(&self, grant: &Selector) -> bool {
        !granted(&self.before, grant).eq(granted(&self.after, grant))
    }
}

// === impl RendererSpec ===

impl RendererSpec {
    fn renders_as(&self, other: &Self) -> bool {
        let same = match (&self.render, &other.render) {
            // Another component, or the same with other limits, is another value.
            (Ok(own), Ok(others)) => Arc::ptr_eq(own, others),
            (Err(own), Err(others)) => own.to_string() == others.to_string(),
            _ => false,
        };
        same && self.renderer == other.renderer
    }
}
