//! `renderers`: pure functions from a document to objects, which [`mizzen_model::Reads`] grants, records and runs.

use mizzen_model::parse_renderer_name;
use wasmtime::Result;

use crate::bindings::mizzen::plugin::renderers;
use crate::bindings::mizzen::plugin::types::AccessError;
use crate::convert;
use crate::guest::Guest;

impl renderers::Host for Guest {
    async fn available(&mut self) -> Result<Vec<renderers::Renderer>> {
        self.count()?;
        let granted = self.reads.renderers().await;
        let labels = |labels: &mizzen_model::Labels| {
            labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        };
        let renderer = |renderer: &mizzen_model::Renderer| renderers::Renderer {
            name: renderer.name.to_string(),
            labels: labels(&renderer.labels),
        };
        Ok(granted.iter().map(renderer).collect())
    }

    async fn render(
        &mut self,
        renderer: String,
        function_config: String,
    ) -> Result<Result<Vec<String>, renderers::RenderError>> {
        self.count()?;
        self.charge(renderer.len())?;
        if let Err(error) = parse_renderer_name(&renderer) {
            return Ok(Err(renderers::RenderError::Access(AccessError::Invalid(error.to_string()))));
        }
        if let Err(why) = serde_json::from_str::<serde::de::IgnoredAny>(&function_config) {
            let why = format!("the document for renderer `{renderer}` is not JSON: {why}");
            return Ok(Err(renderers::RenderError::Access(AccessError::Invalid(why))));
        }
        let result = self.reads.render(&renderer, &function_config).await;
        let objects = result.map(|objects| objects.iter().map(ToString::to_string).collect());
        Ok(objects.map_err(|error| match error {
            mizzen_model::RenderError::Rejected(why) => renderers::RenderError::Rejected(why),
            mizzen_model::RenderError::Failed(why) => renderers::RenderError::Failed(why),
            mizzen_model::RenderError::Access(error) => renderers::RenderError::Access(convert::access_error(error)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mizzen_config::Limits;

    use super::renderers::Host as _;
    use super::*;
    use crate::limits::ARGUMENTS;
    use crate::no_reads::NoReads;

    #[tokio::test]
    async fn a_name_that_no_renderer_can_have_is_reported_to_the_guest_and_not_recorded() {
        let mut guest = Guest::new(Arc::new(NoReads), Limits::default(), mizzen_model::Digest::of(b""));
        for name in ["", "../charts", "\u{1b}[2J", &"a".repeat(64)] {
            let rendered = guest.render(name.into(), "{}".into()).await.unwrap();
            let Err(renderers::RenderError::Access(AccessError::Invalid(why))) = rendered else { panic!("{name}") };
            assert!(why.starts_with("`renderer` is `") && !why.contains('\u{1b}'), "{why}");
        }
    }

    #[tokio::test]
    async fn names_of_renderers_count_against_the_arguments_of_reads() {
        let mut guest = Guest::new(Arc::new(NoReads), Limits::default(), mizzen_model::Digest::of(b""));
        let error = guest.render("a".repeat(ARGUMENTS + 1), "{}".into()).await.unwrap_err();
        assert!(error.to_string().contains("more than 4 MiB"), "{error}");
    }
}
