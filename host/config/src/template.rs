//! Templates with fields of the subject: `{subject.spec.tokens | subject.name}`.
//!
//! With them the configuration chooses, for instance, the Secret of each subject, without the
//! plugin. The subject's status can not be used: plugins write it.
//!
//! A path with fallbacks is all that is needed here, so this is not CEL: it needs no types, no
//! limits of cost, and a mistake is found when the configuration is read.

use serde_json::Value;

/// A text with placeholders for fields of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these fields that is present and not empty.
    First(Vec<Path>),
}

/// The steps to a field.
type Path = Vec<String>;

/// Examples for error messages.
const EXAMPLES: &str =
    "write e.g. `{subject.namespace}`, `{subject.spec.tokens | subject.name}` or `{subject.metadata.labels['a.b/c']}`";

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {fault}; {EXAMPLES}")]
pub struct TemplateError {
    text: String,
    fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("a brace is not closed")]
    NotClosed,
    #[error("a brace is not opened")]
    NotOpened,
    #[error("`{0}` has a bracket that is not closed")]
    Bracket(String),
    #[error("`{0}` is not a valid path")]
    Path(String),
    #[error("`{0}` is not a field of the subject's spec, its name, its namespace, a label or an annotation")]
    Field(String),
}

// === impl Template ===

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// When it is not valid; the message has examples.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let wrong = |fault| TemplateError { text: text.to_owned(), fault };
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (fields, after) = after.split_once('}').ok_or_else(|| wrong(Fault::NotClosed))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let paths = fields.split('|').map(|field| path(field.trim()).map_err(wrong));
            parts.push(Part::First(paths.collect::<Result<_, _>>()?));
            rest = after;
        }
        if rest.contains('}') {
            return Err(wrong(Fault::NotOpened));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// A template that never resolves, in place of an invalid one.
    pub(crate) fn none() -> Self {
        Self { text: String::new(), parts: vec![Part::First(Vec::new())] }
    }

    /// The text for a subject; `None` if a field of it is absent or empty.
    pub fn resolve(&self, subject: &Value) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::First(paths) => paths.iter().find_map(|path| field(subject, path)),
        };
        self.parts.iter().map(part).collect()
    }

    /// The text, if it has no placeholder.
    pub fn fixed(&self) -> Option<&str> {
        self.parts.iter().all(|part| matches!(part, Part::Text(_))).then_some(&*self.text)
    }

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn field(subject: &Value, path: &[String]) -> Option<String> {
    match path.iter().try_fold(subject, |value, step| value.get(step))? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

fn path(text: &str) -> Result<Path, Fault> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (step, after) = quoted.split_once("']").ok_or_else(|| Fault::Bracket(text.to_owned()))?;
            steps.push(step.to_owned());
            rest = after;
        } else {
            let own = if steps.is_empty() { rest } else { rest.strip_prefix('.').unwrap_or("") };
            let end = own.find(['.', '[']).unwrap_or(own.len());
            let step = &own[..end];
            if step.is_empty() || !step.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
                return Err(Fault::Path(text.to_owned()));
            }
            steps.push(step.to_owned());
            rest = &own[end..];
        }
    }
    match steps.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["subject", name @ ("name" | "namespace")] => Ok(vec!["metadata".to_owned(), name.to_owned()]),
        ["subject", "metadata", "name" | "namespace"]
        | ["subject", "spec", _, ..]
        | ["subject", "metadata", "labels" | "annotations", _] => Ok(steps.split_off(1)),
        _ => Err(Fault::Field(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(text: &str) -> Option<String> {
        let subject = json!({"metadata": {"name": "dk", "namespace": "ns", "annotations": {"a.b/c": "x"}},
            "spec": {"tokens": "", "deep": {"port": 7, "on": true}}, "status": {"x": "y"}});
        Template::parse(text).unwrap().resolve(&subject)
    }

    #[test]
    fn placeholders_are_replaced_by_fields_of_the_subject() {
        assert_eq!(resolve("{subject.namespace}").as_deref(), Some("ns"));
        assert_eq!(resolve("a-{subject.name}-{ subject.spec.deep.port }").as_deref(), Some("a-dk-7"));
        assert_eq!(resolve("{subject.metadata.annotations['a.b/c']}").as_deref(), Some("x"));
        assert_eq!(resolve("{subject.spec.deep.on}").as_deref(), Some("true"));
    }

    #[test]
    fn the_first_field_that_is_not_empty_is_used_and_without_one_the_template_does_not_resolve() {
        assert_eq!(resolve("{subject.spec.tokens | subject.spec.none | subject.name}").as_deref(), Some("dk"));
        assert_eq!(resolve("x-{subject.spec.tokens}"), None);
        assert_eq!(resolve("{subject.spec.deep}"), None, "an object is not a text");
    }

    #[test]
    fn fields_that_plugins_write_and_invalid_paths_are_refused() {
        for bad in
            ["{subject.status.x}", "{spec.x}", "{subject.spec}", "{subject.spec.a", "a}", "{}", "{subject.spec..a}"]
        {
            assert!(Template::parse(bad).unwrap_err().to_string().contains("{subject.namespace}"), "{bad}");
        }
        assert_eq!(Template::parse("plain").unwrap().fixed(), Some("plain"));
    }
}
