//! Validates a document as a [`Renderer`].

use mizzen_model::{Labels, parse_renderer_name};

use super::Checker;
use crate::document::RendererSpec;
use crate::renderer::{RenderLimits, Renderer};
use crate::shape;

impl Checker<'_> {
    /// The renderer, if nothing is wrong.
    pub(crate) fn renderer(&mut self) -> Option<Renderer> {
        self.renderer_name();
        self.labels();
        let spec: RendererSpec = self.spec(&shape::RENDERER)?;
        let (limits, defaults) = (&spec.limits, RenderLimits::default());
        let renderer = Renderer {
            name: self.site.name().to_owned(),
            origin: self.site.origin(),
            generation: self.site.generation(),
            labels: Labels::of(&self.site.document.value["metadata"]["labels"]),
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
        let name = self.site.name();
        if name.is_empty() {
            self.wrong("metadata.name", "is missing");
        } else if let Err(error) = parse_renderer_name(name) {
            self.wrong("metadata.name", error.detail());
        }
    }

    /// A version such as `1.31` is a number in YAML, and so not a valid label.
    fn labels(&mut self) {
        let labels = self.site.document.value["metadata"]["labels"].as_object().into_iter().flatten();
        let wrong: Vec<_> = labels.filter(|(_, value)| !value.is_string()).collect();
        for (key, value) in wrong {
            self.wrong(&format!("metadata.labels.{key}"), format!("`{value}` is not a text; write it in quotes"));
        }
    }
}
