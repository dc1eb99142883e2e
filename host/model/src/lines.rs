//! Where in a text of YAML each field stands.

use std::collections::HashMap;

use granit_parser::{Event, Parser};

/// Lines of fields, by their paths (`spec.after[1]`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    by_path: HashMap<String, usize>,
    /// The line at which the text itself stands.
    first: usize,
    /// The path of the document within the text; empty: the text is the document.
    within: String,
}

// === impl Lines ===

impl Lines {
    /// The lines of a document, which is at a path (empty: the whole) of a text that begins at a line, from 1.
    pub(crate) fn of(text: &str, first: usize, within: &str) -> Self {
        Self { by_path: lines(text), first, within: within.to_owned() }
    }

    /// The line of a field of the document, or, where it is not there, of what it would stand in.
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

/// Line of every field, by its path, from 1 and within the text.
fn lines(text: &str) -> HashMap<String, usize> {
    let mut lines = HashMap::new();
    let mut open: Vec<Level> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        let line = span.start.line();
        match event {
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                if let Some(level) = open.last_mut() {
                    level.done();
                }
            }
            Event::MappingStart(..) => {
                let path = arrive(&mut open, &mut lines, line);
                open.push(Level::Mapping { path, key: None });
            }
            Event::SequenceStart(..) => {
                let path = arrive(&mut open, &mut lines, line);
                open.push(Level::Sequence { path, next: 0 });
            }
            Event::Scalar(value, ..) => {
                if let Some(Level::Mapping { path, key: key @ None }) = open.last_mut() {
                    let name = join(path, &value);
                    lines.insert(name.clone(), line);
                    *key = Some(name);
                } else {
                    arrive(&mut open, &mut lines, line);
                    if let Some(level) = open.last_mut() {
                        level.done();
                    }
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                if let Some(level) = open.last_mut() {
                    level.done();
                }
            }
            _ => {}
        }
    }
    lines
}

enum Level {
    /// The key whose value comes next; `None`: a key comes next.
    Mapping { path: String, key: Option<String> },
    /// The number of the element that comes next.
    Sequence { path: String, next: usize },
}

impl Level {
    /// A value has been read.
    fn done(&mut self) {
        match self {
            Self::Mapping { key, .. } => *key = None,
            Self::Sequence { next, .. } => *next += 1,
        }
    }
}

/// The path of the value that begins now.
fn arrive(open: &mut [Level], lines: &mut HashMap<String, usize>, line: usize) -> String {
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
    fn a_field_that_is_not_there_has_the_line_of_what_it_would_stand_in() {
        let lines = Lines::of("a:\n  b: 1\n", 10, "");
        assert_eq!((lines.line("a.b.c[3].d"), lines.line("a.x"), lines.line("z")), (11, 10, 10));
    }

    #[test]
    fn a_key_with_a_dot_in_it_is_found() {
        assert_eq!(Lines::of("a:\n  x: 1\n  b.c/d: 1\n", 1, "").line("a.b.c/d"), 3);
    }
}
