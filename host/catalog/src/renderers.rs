//! The renderers of a host: the last good revision of each, and what is wrong with the newest.

use std::path::Path;
use std::sync::Arc;

use mizzen_config::{Problem, Renderer};
use mizzen_model::Render;

/// What became of a renderer that was to be loaded.
#[derive(Clone)]
pub enum Loading {
    /// It can be asked.
    Ready(Arc<dyn Render>),
    /// It is being compiled beside everything else; whoever refreshes the catalog afterwards finds it.
    Compiling,
}

/// One renderer with what answers for it.
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

// === impl RendererEntry ===

impl RendererEntry {
    /// What answers for it, or why nothing does, in a sentence for whoever asks.
    pub fn answers(&self) -> Result<Arc<dyn Render>, String> {
        self.render.clone().ok_or_else(|| match &self.problem {
            Some(problem) => problem.message.clone(),
            None => "it is being compiled, which takes a minute; who asks is asked again when it is there".into(),
        })
    }

    /// The entry after an attempt to load its newest revision.
    pub(crate) fn after(
        renderer: &Arc<Renderer>,
        file: &Path,
        known: Option<&Self>,
        loaded: Result<Loading, String>,
    ) -> Self {
        let last = known.and_then(|known| known.render.clone());
        let same = |fresh: &Arc<dyn Render>| {
            let own = known.filter(|known| known.renderer.limits == renderer.limits)?.render.clone()?;
            (own.digest() == fresh.digest()).then_some(own)
        };
        let (render, compiling, problem) = match loaded {
            // What is the same stays the same value: nobody is asked again for it.
            Ok(Loading::Ready(fresh)) => (Some(same(&fresh).unwrap_or(fresh)), false, None),
            Ok(Loading::Compiling) => (last, true, None),
            Err(why) => {
                let message = format!("component {}: {why}", file.display());
                (last, false, Some(renderer.problem("spec.component.file", message)))
            }
        };
        Self { renderer: Arc::clone(renderer), render, compiling, problem }
    }
}
