//! The status of a Renderer object: the component that renders, and the problem of the newest one.

use mizzen_catalog::RendererEntry;
use mizzen_config::document::RendererStatus;
use mizzen_model::Object;

use super::condition::Condition;

/// The status that a renderer should have. `invalid` has the problems of its document.
pub(super) fn status(
    object: &Object,
    entry: Option<&RendererEntry>,
    invalid: &str,
    before: &RendererStatus,
) -> RendererStatus {
    let loaded = if invalid.is_empty() { loaded(entry) } else { Condition::unmet("Invalid", invalid) };
    RendererStatus {
        observed_generation: Some(object.generation),
        digest: entry.and_then(|entry| entry.render.as_ref()).map(|render| render.digest().to_string()),
        conditions: vec![loaded.into_status("Loaded", &before.conditions, object.generation)],
    }
}

fn loaded(entry: Option<&RendererEntry>) -> Condition {
    match entry {
        Some(RendererEntry { problem: Some(problem), .. }) => Condition::unmet("LoadFailed", &problem.message),
        Some(entry) if entry.compiling => Condition::unmet("Compiling", "the newest component is being compiled"),
        Some(_) => Condition::met("Loaded", "the newest component is loaded"),
        None => Condition::unmet("NotLoaded", "the component has not been loaded yet"),
    }
}
