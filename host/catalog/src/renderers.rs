//! The renderers of a host: the last good revision of each, and the problem of the newest.

use std::path::Path;
use std::sync::Arc;

use mizzen_config::{Problem, Renderer};
use mizzen_model::{LoadError, Render};

use crate::loader::Loading;

/// A renderer with its component.
#[derive(Clone)]
pub struct RendererEntry {
    /// The configuration.
    pub renderer: Arc<Renderer>,
    /// The last good revision; `None`: there is none yet.
    pub render: Option<Arc<dyn Render>>,
    /// Whether the newest revision is being compiled.
    pub compiling: bool,
    /// What is wrong with the newest revision.
    pub problem: Option<Problem>,
}

/// Why a renderer can't be called, for the plugins that call it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLoaded {
    /// Its component can't be loaded.
    #[error("{0}")]
    Failed(String),
    /// Its first revision is being compiled.
    #[error("it is being compiled, which takes about a minute; its readers are requeued when it is ready")]
    Compiling,
}

// === impl RendererEntry ===

impl RendererEntry {
    /// The revision that can be called.
    ///
    /// # Errors
    /// When there is no good revision yet.
    pub fn loaded(&self) -> Result<Arc<dyn Render>, NotLoaded> {
        self.render.clone().ok_or_else(|| match &self.problem {
            Some(problem) => NotLoaded::Failed(problem.message.clone()),
            None => NotLoaded::Compiling,
        })
    }

    /// The entry after an attempt to load its newest revision.
    pub(crate) fn after(
        renderer: &Arc<Renderer>,
        file: &Path,
        known: Option<&Self>,
        loaded: Result<Loading, LoadError>,
    ) -> Self {
        let last = known.and_then(|known| known.render.clone());
        let same = |fresh: &Arc<dyn Render>| {
            let own = known.filter(|known| known.renderer.limits == renderer.limits)?.render.clone()?;
            (own.digest() == fresh.digest()).then_some(own)
        };
        let (render, compiling, problem) = match loaded {
            // An unchanged revision stays the same value, so that its readers are not requeued.
            Ok(Loading::Ready(fresh)) => (Some(same(&fresh).unwrap_or(fresh)), false, None),
            Ok(Loading::Compiling) => (last, true, None),
            Err(error) => {
                let message = format!("component {}: {error}", file.display());
                (last, false, Some(renderer.problem("spec.component.file", message)))
            }
        };
        Self { renderer: Arc::clone(renderer), render, compiling, problem }
    }
}
