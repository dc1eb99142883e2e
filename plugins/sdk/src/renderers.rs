//! Renderers: pure functions from a document to Kubernetes objects, such as one version of a vendor's own. Each call runs in a sandbox of
//! its own; equal documents are rendered once. When a renderer is replaced, whoever called it is asked again.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{AccessError, Failure, backend};

/// A renderer that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renderer {
    /// What [`render`] calls it.
    pub name: String,
    /// What to choose by.
    pub labels: BTreeMap<String, String>,
}

/// Why nothing was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenderError {
    /// The renderer says that the document is wrong, and why: the subject or the configuration it was made of is.
    Rejected(String),
    /// It gave no answer, neither objects nor what is wrong: it trapped, met a limit, ended with an exit code or wrote something else.
    Failed(String),
    /// It was not asked: not granted, still being loaded.
    Access(AccessError),
}

/// The renderers that the operator granted, by name. Empty unless `describe` says [`Description::renderer`](crate::Description::renderer).
pub fn available() -> Vec<Renderer> {
    backend::renderers()
}

/// The objects that a renderer makes of a document, in the order it gives them.
///
/// The first time, this can take a second and more, which counts as time of the reconciler's own: its `limits.time` should allow for it. A
/// rendering goes on when that is over, so that the next call finds its answer.
///
/// # Errors
/// See [`RenderError`].
pub fn render(renderer: &str, document: &impl Serialize) -> Result<Vec<Value>, RenderError> {
    let invalid = |why: String| RenderError::Access(AccessError::Invalid(why));
    let document = serde_json::to_value(document).map_err(|error| invalid(format!("the document: {error}")))?;
    let objects = backend::render(renderer, &document.to_string())?;
    let parse = |object: &String| {
        serde_json::from_str(object).map_err(|error| invalid(format!("renderer `{renderer}`: an object: {error}")))
    };
    objects.iter().map(parse).collect()
}

impl From<AccessError> for RenderError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<RenderError> for Failure {
    /// A document that a renderer rejects is rejected again until it changes; one that it failed at is worth another try.
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Rejected(why) => Self::Invalid(why),
            RenderError::Failed(why) => Self::Retry(why),
            RenderError::Access(error) => error.into(),
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) | Self::Failed(why) => f.write_str(why),
            Self::Access(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RenderError {}
