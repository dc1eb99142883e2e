//! Where in a text each field of a document stands.

use std::collections::HashMap;

use granit_parser::{Event, Parser};

/// Line of every field, by its path (`spec.after[1]`), from 1 and within the text.
pub(crate) fn of(text: &str) -> HashMap<String, usize> {
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
    #[test]
    fn every_field_has_its_line() {
        let lines = super::of("a: 1\nb:\n  - x\n  - y: 2\n    z: {w: 3}\nc: [p,\n  q]\n");
        for (path, line) in [("a", 1), ("b", 2), ("b[0]", 3), ("b[1]", 4), ("b[1].y", 4), ("b[1].z.w", 5), ("c[1]", 7)]
        {
            assert_eq!(lines.get(path), Some(&line), "{path}");
        }
    }
}
