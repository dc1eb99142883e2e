//! `renderers`: pure functions from a document to objects. None can be granted yet.

use wasmtime::Result;

use crate::bindings::mizzen::plugin::renderers;
use crate::bindings::mizzen::plugin::types::AccessError;
use crate::guest::Guest;

impl renderers::Host for Guest {
    async fn available(&mut self) -> Result<Vec<renderers::Renderer>> {
        self.count()?;
        Ok(Vec::new())
    }

    async fn render(
        &mut self,
        renderer: String,
        _function_config: String,
    ) -> Result<Result<Vec<String>, renderers::RenderError>> {
        self.count()?;
        let denied = AccessError::Denied(format!("renderer `{renderer}` is not granted"));
        Ok(Err(renderers::RenderError::Access(denied)))
    }
}
