//! One renderer's configuration, validated.

use std::time::Duration;

use mizzen_model::Labels;

use crate::problem::Problem;
use crate::reconciler::{Component, Origin};

/// One `Renderer` document that made sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Renderer {
    /// `metadata.name`: what plugins call it.
    pub name: String,
    /// Where the document came from.
    pub origin: Origin,
    /// `metadata.generation`; 0 for a file.
    pub generation: i64,
    /// `metadata.labels`: what plugins and grants choose by.
    pub labels: Labels,
    /// Where its component comes from.
    pub component: Component,
    /// What one rendering may cost.
    pub limits: RenderLimits,
}

/// What one rendering may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RenderLimits {
    /// Bytes of linear memory: stops a renderer that eats the host's memory.
    pub memory: u64,
    /// Time from the first instruction to the answer: stops a renderer that never returns, and so keeps all others waiting.
    pub time: Duration,
    /// Bytes of standard input: stops a plugin that has the host copy and keep what it can't hold.
    pub input: u64,
    /// Bytes of standard output: stops a renderer that makes the host keep, and plugins parse, what they can't hold.
    pub output: u64,
}

impl Renderer {
    /// What is wrong with a field of its document, found out when its component was looked at.
    pub fn problem(&self, field: &str, message: String) -> Problem {
        self.origin.problem("Renderer", &self.name, field, message)
    }
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self { memory: 512 << 20, time: Duration::from_secs(30), input: 1 << 20, output: 8 << 20 }
    }
}
