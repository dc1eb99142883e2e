//! From a document to a [`Renderer`].

use mizzen_model::Labels;

use super::Checker;
use crate::document::RendererSpec;
use crate::reconciler::Origin;
use crate::renderer::{RenderLimits, Renderer};
use crate::shape;

/// The longest name: as of any label's value, so that it can be one.
const LONGEST_NAME: usize = 63;

impl Checker<'_> {
    /// The renderer, unless something is wrong.
    pub(crate) fn renderer(&mut self, origin: Origin) -> Option<Renderer> {
        self.renderer_name();
        self.labels();
        let spec: RendererSpec = self.spec(&shape::RENDERER)?;
        let (limits, defaults) = (&spec.limits, RenderLimits::default());
        let renderer = Renderer {
            name: self.name.clone(),
            origin,
            generation: self.document.value["metadata"]["generation"].as_i64().unwrap_or(0),
            labels: Labels::of(&self.document.value["metadata"]["labels"]),
            component: self.component(&spec.component.file),
            limits: RenderLimits {
                memory: self.amount("memory", limits.memory.as_deref(), defaults.memory, 4 << 30),
                time: self.time(limits.time.as_deref(), defaults.time),
                input: self.amount("input", limits.input.as_deref(), defaults.input, 16 << 20),
                output: self.amount("output", limits.output.as_deref(), defaults.output, 64 << 20),
            },
        };
        self.problems.is_empty().then_some(renderer)
    }

    fn renderer_name(&mut self) {
        let name = self.name.clone();
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let outer = |c: char| inner(c) && c != '-' && c != '.';
        if name.is_empty() {
            self.wrong("metadata.name", "is missing");
        } else if name.len() > LONGEST_NAME
            || !name.chars().all(inner)
            || !name.starts_with(outer)
            || !name.ends_with(outer)
        {
            let message =
                format!("`{name}` must be at most {LONGEST_NAME} lower-case letters, digits, hyphens and dots");
            self.wrong("metadata.name", message);
        }
    }

    /// A version such as `1.31` is a number in YAML: left as it is, the label would be no label.
    fn labels(&mut self) {
        let labels = self.document.value["metadata"]["labels"].as_object().into_iter().flatten();
        let wrong: Vec<_> = labels.filter(|(_, value)| !value.is_string()).collect();
        for (key, value) in wrong {
            self.wrong(&format!("metadata.labels.{key}"), format!("`{value}` is no text; write it in quotes"));
        }
    }
}
