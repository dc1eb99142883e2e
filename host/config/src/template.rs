//! Text with parts of the subject in it: `{subject.spec.tokens | subject.name}`.
//!
//! So a configuration says which Secret stands for which subject, and the plugin has no say in it. A subject's status is no part that can be
//! named: plugins write it.

use serde_json::Value;

/// Text, in which fields of a subject may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these fields that is there and not empty.
    First(Vec<Path>),
}

/// The steps to a field.
type Path = Vec<String>;

/// How a template is written.
const HOW: &str =
    "write e.g. `{subject.namespace}`, `{subject.spec.tokens | subject.name}` or `{subject.metadata.labels['a.b/c']}`";

// === impl Template ===

impl Template {
    /// Reads a template. The error says how to write one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("`{text}`: {why}; {HOW}");
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (fields, after) = after.split_once('}').ok_or_else(|| wrong("a brace is not closed"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let paths = fields.split('|').map(|field| path(field.trim()).map_err(|why| wrong(&why)));
            parts.push(Part::First(paths.collect::<Result<_, _>>()?));
            rest = after;
        }
        if rest.contains('}') {
            return Err(wrong("a brace is not opened"));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// One that never resolves, to stand for one that is wrong.
    pub(crate) fn none() -> Self {
        Self { text: String::new(), parts: vec![Part::First(Vec::new())] }
    }

    /// The text for a subject; `None` when a field of it is not there, or empty.
    pub fn resolve(&self, subject: &Value) -> Option<String> {
        let part = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::First(paths) => paths.iter().find_map(|path| field(subject, path)),
        };
        self.parts.iter().map(part).collect()
    }

    /// The text, if it is the same for every subject.
    pub fn fixed(&self) -> Option<&str> {
        self.parts.iter().all(|part| matches!(part, Part::Text(_))).then_some(&*self.text)
    }

    /// As it was written.
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

fn path(text: &str) -> Result<Path, String> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (step, after) = quoted.split_once("']").ok_or_else(|| format!("`{text}` has an open bracket"))?;
            steps.push(step.to_owned());
            rest = after;
        } else {
            let own = if steps.is_empty() { rest } else { rest.strip_prefix('.').unwrap_or("") };
            let end = own.find(['.', '[']).unwrap_or(own.len());
            let step = &own[..end];
            if step.is_empty() || !step.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
                return Err(format!("`{text}` is no path"));
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
        _ => {
            Err(format!("`{text}` is neither of the subject's spec nor its name, namespace, a label or an annotation"))
        }
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
    fn fields_of_the_subject_stand_in_the_text() {
        assert_eq!(resolve("{subject.namespace}").as_deref(), Some("ns"));
        assert_eq!(resolve("a-{subject.name}-{ subject.spec.deep.port }").as_deref(), Some("a-dk-7"));
        assert_eq!(resolve("{subject.metadata.annotations['a.b/c']}").as_deref(), Some("x"));
        assert_eq!(resolve("{subject.spec.deep.on}").as_deref(), Some("true"));
    }

    #[test]
    fn the_first_field_that_is_not_empty_counts_and_without_one_there_is_no_text() {
        assert_eq!(resolve("{subject.spec.tokens | subject.spec.none | subject.name}").as_deref(), Some("dk"));
        assert_eq!(resolve("x-{subject.spec.tokens}"), None);
        assert_eq!(resolve("{subject.spec.deep}"), None, "an object is no text");
    }

    #[test]
    fn what_plugins_write_and_what_is_no_path_can_not_be_named() {
        for bad in
            ["{subject.status.x}", "{spec.x}", "{subject.spec}", "{subject.spec.a", "a}", "{}", "{subject.spec..a}"]
        {
            assert!(Template::parse(bad).unwrap_err().contains("{subject.namespace}"), "{bad}");
        }
        assert_eq!(Template::parse("plain").unwrap().fixed(), Some("plain"));
    }
}
