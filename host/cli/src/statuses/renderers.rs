//! The statuses of Renderer objects: which component answers, and what is wrong with the newest.

use mizzen_catalog::RendererEntry;
use mizzen_cluster::{Scope, Selection};
use mizzen_config::RENDERER;
use mizzen_config::document::RendererStatus;
use mizzen_model::{Object, canonical};

use super::{Statuses, condition};

impl Statuses {
    /// Writes every status that is different from what it should be.
    pub(super) async fn write_renderers(&self) {
        let Ok(objects) = self.cluster.list(Scope::All, &RENDERER, &Selection::default()) else { return };
        for object in objects {
            let was: RendererStatus =
                serde_json::from_value(canonical::part(object.json(), "status")).unwrap_or_default();
            let wanted = self.renderer_status(&object, &was);
            if wanted == was {
                continue;
            }
            if let Err(error) = self.apply(&object, &wanted).await {
                tracing::warn!(renderer = %object.reference.name, %error, "its status could not be written");
            }
        }
    }

    fn renderer_status(&self, object: &Object, was: &RendererStatus) -> RendererStatus {
        let wrong = self.wrong(&RENDERER, &object.reference.name);
        let entry = self.renderers.get(&*object.reference.name);
        let loaded = if wrong.is_empty() { loaded(entry) } else { (false, "Invalid", wrong) };
        RendererStatus {
            observed_generation: Some(object.generation),
            digest: entry.and_then(|entry| entry.render.as_ref()).map(|render| render.digest().to_string()),
            conditions: vec![condition("Loaded", loaded, &was.conditions, object.generation)],
        }
    }
}

fn loaded(entry: Option<&RendererEntry>) -> (bool, &'static str, String) {
    match entry {
        Some(RendererEntry { problem: Some(problem), .. }) => (false, "LoadFailed", problem.message.clone()),
        Some(entry) if entry.compiling => (false, "Compiling", "the newest component is being compiled".into()),
        Some(_) => (true, "Loaded", String::new()),
        None => (false, "NotLoaded", String::new()),
    }
}
