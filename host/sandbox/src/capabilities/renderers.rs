//! `renderers`: pure functions from a document to objects, which [`mizzen_model::Reads`] grants, records and runs.

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
