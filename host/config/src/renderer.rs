//! One renderer's configuration, validated.

use std::time::Duration;

use mizzen_model::Labels;

use crate::problem::Problem;
use crate::reconciler::{Component, Origin};

/// The validated content of one `Renderer` document.
#[derive(Clone, Debug, PartialEq)]
pub struct Renderer {
    /// `metadata.name`, by which plugins call it.
    pub name: String,
    /// The origin of the document.
    pub origin: Origin,
    /// `metadata.generation`; 0 for a file.
    pub generation: i64,
    /// `metadata.labels`, by which plugins and grants choose.
    pub labels: Labels,
    /// The source of its component.
    pub component: Component,
    /// The limits of one rendering.
    pub limits: RenderLimits,
}

/// The limits of one rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RenderLimits {
    /// Bytes of linear memory: stops a renderer that eats the host's memory.
    pub memory: u64,
    /// Time from the first instruction to the result: stops a renderer that never returns and
    /// blocks all others.
    pub time: Duration,
    /// Bytes of standard input: stops a plugin that fills the host's memory with documents.
    pub input: u64,
    /// Bytes of standard output: stops a renderer that fills the memory of the host and of plugins
    /// with its result.
    pub output: u64,
}

impl Renderer {
    /// A problem at a field of its document, found when its component was loaded.
    pub fn problem(&self, field: &str, message: String) -> Problem {
        self.origin.problem("Renderer", &self.name, field, message)
    }
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self { memory: 512 << 20, time: Duration::from_secs(30), input: 1 << 20, output: 8 << 20 }
    }
}
