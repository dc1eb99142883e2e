//! The lines of the fields in a YAML text.

use std::collections::HashMap;

use granit_parser::{Event, Parser};

/// The lines of the fields of a document, by their paths (`spec.after[1]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    by_path: HashMap<String, usize>,
    /// The line of the file at which the text starts.
    first: usize,
    /// The path of the document within the text; empty: the document is the whole text.
    within: String,
}

// === impl Lines ===

impl Lines {
    /// The lines of the document at a path (empty: the whole) of a text that starts at line
    /// `first`, from 1.
    pub(crate) fn of(text: &str, first: usize, within: &str) -> Self {
        Self { by_path: lines(text), first, within: within.to_owned() }
    }

    /// The line of a field; if the document does not have it, the line of its closest ancestor.
    pub fn line(&self, field: &str) -> usize {
        let path = match (&*self.within, field) {
            (within, "") => within.to_owned(),
            ("", field) => field.to_owned(),
            (within, field) => format!("{within}.{field}"),
        };
        let mut at = &*path;
        loop {
            if let Some(line) = self.by_path.get(at) {
                return self.first + line - 1;
            }
            match at.rfind(['.', '[']) {
                Some(end) => at = &at[..end],
                None => return self.first,
            }
        }
    }
}

/// The line of every field, by its path, from 1 within the text.
fn lines(text: &str) -> HashMap<String, usize> {
    let mut lines = HashMap::new();
    let mut open: Vec<Level> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let line = span.start.line();
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                value_ends(&mut open);
            }
            Event::MappingStart(..) => {
                let path = value_starts(&open, &mut lines, line);
                open.push(Level::Mapping { path, key: None });
            }
            Event::SequenceStart(..) => {
                let path = value_starts(&open, &mut lines, line);
                open.push(Level::Sequence { path, next: 0 });
            }
            Event::Scalar(value, ..) => scalar(&mut open, &mut lines, line, &value),
            Event::Alias(_) | Event::UnresolvedAlias(_) => value_ends(&mut open),
            _ => {}
        }
    }
    lines
}

/// A scalar is the next key of the innermost mapping, or a value.
fn scalar(open: &mut [Level], lines: &mut HashMap<String, usize>, line: usize, text: &str) {
    if let Some(Level::Mapping { path, key: key @ None }) = open.last_mut() {
        let name = join(path, text);
        lines.insert(name.clone(), line);
        *key = Some(name);
    } else {
        value_starts(open, lines, line);
        value_ends(open);
    }
}

/// A mapping or sequence that has not ended.
enum Level {
    /// The path of the key whose value is next; `None`: a key is next.
    Mapping { path: String, key: Option<String> },
    /// The index of the next element.
    Sequence { path: String, next: usize },
}

/// Advances the innermost level after a value.
fn value_ends(open: &mut [Level]) {
    match open.last_mut() {
        Some(Level::Mapping { key, .. }) => *key = None,
        Some(Level::Sequence { next, .. }) => *next += 1,
        None => {}
    }
}

/// Returns the path of the value that starts here; an element of a sequence gets its line.
fn value_starts(open: &[Level], lines: &mut HashMap<String, usize>, line: usize) -> String {
    match open.last() {
        None => String::new(),
        Some(Level::Mapping { key, .. }) => key.clone().unwrap_or_default(),
        Some(Level::Sequence { path, next }) => {
            let element = format!("{path}[{next}]");
            lines.insert(element.clone(), line);
            element
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_line() {
        let lines = Lines::of("a: 1\nb:\n  - x\n  - y: 2\n    z: {w: 3}\nc: [p,\n  q]\n", 1, "");
        for (path, line) in [("a", 1), ("b", 2), ("b[0]", 3), ("b[1]", 4), ("b[1].y", 4), ("b[1].z.w", 5), ("c[1]", 7)]
        {
            assert_eq!(lines.line(path), line, "{path}");
        }
    }

    #[test]
    fn an_absent_field_has_the_line_of_its_closest_ancestor() {
        let lines = Lines::of("a:\n  b: 1\n", 10, "");
        assert_eq!((lines.line("a.b.c[3].d"), lines.line("a.x"), lines.line("z")), (11, 10, 10));
    }

    #[test]
    fn a_key_with_a_dot_is_found() {
        assert_eq!(Lines::of("a:\n  x: 1\n  b.c/d: 1\n", 1, "").line("a.b.c/d"), 3);
    }
}
