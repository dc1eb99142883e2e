//! The renderers of a host: which of them a plugin may call, and whom it concerns when one is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mizzen_model::{Render, Renderer, Selector};
use parking_lot::RwLock;

/// One renderer as it is configured, with what could or could not be loaded for it.
#[derive(Clone)]
pub struct RendererSpec {
    /// Its name and labels.
    pub renderer: Renderer,
    /// What answers for it: the last good revision; or, in a sentence for whoever asks, why there is none yet.
    pub render: Result<Arc<dyn Render>, String>,
}

/// All renderers, by name. Read by calls while the configuration replaces them.
#[derive(Default)]
pub(crate) struct Renderers(RwLock<All>);

type All = Arc<BTreeMap<Arc<str>, RendererSpec>>;

/// How the renderers were and how they are.
pub(crate) struct Replaced {
    before: All,
    after: All,
}

// === impl Renderers ===

impl Renderers {
    /// Takes in the renderers in place of those before.
    pub(crate) fn replace(&self, specs: Vec<RendererSpec>) -> Replaced {
        let after: All = Arc::new(specs.into_iter().map(|spec| (Arc::clone(&spec.renderer.name), spec)).collect());
        let mut all = self.0.write();
        let before = std::mem::replace(&mut *all, Arc::clone(&after));
        Replaced { before, after }
    }

    /// Those that are granted, by name.
    pub(crate) fn granted(&self, grant: &Selector) -> Vec<Renderer> {
        granted(&self.all(), grant).cloned().collect()
    }

    /// One of those that are granted.
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
    /// The names of those that answer differently from now on, or now at all, or no longer.
    pub(crate) fn names(&self) -> BTreeSet<Arc<str>> {
        let names = self.before.keys().chain(self.after.keys());
        let changed = |name: &&Arc<str>| match (self.before.get(*name), self.after.get(*name)) {
            (Some(before), Some(after)) => !before.answers_as(after),
            _ => true,
        };
        names.filter(changed).cloned().collect()
    }

    /// Whether who is granted these sees others than before.
    pub(crate) fn changes_for(&self, grant: &Selector) -> bool {
        !granted(&self.before, grant).eq(granted(&self.after, grant))
    }
}

// === impl RendererSpec ===

impl RendererSpec {
    fn answers_as(&self, other: &Self) -> bool {
        let same = match (&self.render, &other.render) {
            // Another component, or the same under other limits, is another value.
            (Ok(own), Ok(others)) => Arc::ptr_eq(own, others),
            (Err(own), Err(others)) => own == others,
            _ => false,
        };
        same && self.renderer == other.renderer
    }
}
