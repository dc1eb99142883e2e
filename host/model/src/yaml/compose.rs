//! Composes the value of a document from the events of the parser, as kubectl does: scalars by
//! [`scalar`](super::scalar), anchors, merge keys. A duplicate key is refused, although kubectl
//! takes the last one: which one is meant, only the author knows.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use granit_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Value};

use super::error::{At, SyntaxError};
use super::scalar::{self, Scalar, Tag};

/// The deepest nesting. Stored objects are parsed again by `serde_json`, which goes no deeper than
/// 127.
const DEEPEST: usize = 120;

/// How much all aliases of a document together may add, in bytes. Ten aliases of ten aliases and so
/// on would otherwise fill the memory from a few lines.
const LARGEST_ALIASES: usize = 16 << 20;

/// Composes a text, which has at most one document.
///
/// # Errors
/// Everything that is wrong with it, each with its line from 1; a syntax error ends the search.
pub(super) fn compose(text: &str) -> Result<Value, Vec<At>> {
    let mut composer = Composer::default();
    for event in Parser::new_from_str(text) {
        let line = match &event {
            Ok((_, span)) => span.start.line(),
            Err(error) => error.marker().line(),
        };
        let done = event.map_err(|error| syntax(&error)).and_then(|(event, span)| {
            let is_empty = span.start.index() == span.end.index();
            composer.event(event, is_empty, line)
        });
        if let Err(error) = done {
            composer.errors.push(At { line: line.max(1), error });
            break;
        }
    }
    if composer.errors.is_empty() { Ok(composer.document.unwrap_or_default()) } else { Err(composer.errors) }
}

fn syntax(error: &ScanError) -> SyntaxError {
    SyntaxError::Other(error.info().lines().next().unwrap_or_default().to_owned())
}

/// A mapping or sequence that has not ended.
enum Open {
    Mapping(Mapping),
    Sequence { items: Vec<Value>, anchor: usize },
}

#[derive(Default)]
struct Mapping {
    map: Map<String, Value>,
    anchor: usize,
    next: Next,
    /// The keys that came by a merge; explicit keys replace them.
    merged: BTreeSet<String>,
}

/// What comes next in a mapping.
#[derive(Default)]
enum Next {
    #[default]
    Key,
    Value(String),
    /// The value of a duplicate key, which is dropped.
    Dropped,
    /// The mappings to merge, after `<<`.
    Merge,
}

/// Why a mapping does not take a value.
enum Wrong {
    Duplicate(String),
    Key,
    Merge,
    LateMerge(String),
}

#[derive(Default)]
struct Composer {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    /// The size of the aliases so far.
    aliased: usize,
    document: Option<Value>,
    errors: Vec<At>,
}

// === impl Composer ===

impl Composer {
    fn event(&mut self, event: Event<'_>, is_empty: bool, line: usize) -> Result<(), SyntaxError> {
        match event {
            Event::DocumentStart(..) if self.document.is_some() => Err(SyntaxError::SecondDocument),
            Event::Scalar(text, style, anchor, tag) => {
                let text = if is_empty && tag.is_some() { Cow::Borrowed("") } else { text };
                let tag = tag.map_or(if style == ScalarStyle::Plain { Tag::None } else { Tag::Text }, |tag| of(&tag));
                match self.resolve(tag, &text)? {
                    Scalar::Value(value) => self.finish(value, anchor, line),
                    Scalar::Merge => self.merge_key(line),
                }
            }
            Event::MappingStart(_, anchor, _) => self.start(Open::Mapping(Mapping { anchor, ..Mapping::default() })),
            Event::SequenceStart(_, anchor, _) => self.start(Open::Sequence { items: Vec::new(), anchor }),
            Event::MappingEnd | Event::SequenceEnd => match self.open.pop() {
                Some(Open::Mapping(mapping)) => self.finish(Value::Object(mapping.map), mapping.anchor, line),
                Some(Open::Sequence { items, anchor }) => self.finish(Value::Array(items), anchor, line),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                // An anchor that is not known yet is around the alias.
                let value = self.anchors.get(&anchor).ok_or(SyntaxError::AliasOfItself)?;
                self.aliased = self.aliased.saturating_add(size(value));
                if self.aliased > LARGEST_ALIASES {
                    return Err(SyntaxError::TooManyAliases);
                }
                let value = value.clone();
                self.finish(value, 0, line)
            }
            _ => Ok(()),
        }
    }

    fn resolve(&self, tag: Tag, text: &str) -> Result<Scalar, SyntaxError> {
        scalar::resolve(tag, text).map_err(|reason| SyntaxError::Scalar {
            field: self.field(),
            text: text.to_owned(),
            reason: reason.to_string(),
        })
    }

    fn start(&mut self, open: Open) -> Result<(), SyntaxError> {
        if let Some(Open::Mapping(Mapping { next: Next::Key, .. })) = self.open.last() {
            return Err(SyntaxError::Key(self.field()));
        }
        if self.open.len() >= DEEPEST {
            return Err(SyntaxError::TooDeep);
        }
        self.open.push(open);
        Ok(())
    }

    /// A plain `<<`: the key of a merge, or a text where no key is expected.
    fn merge_key(&mut self, line: usize) -> Result<(), SyntaxError> {
        match self.open.last_mut() {
            Some(Open::Mapping(Mapping { next: next @ Next::Key, .. })) => {
                *next = Next::Merge;
                Ok(())
            }
            _ => self.finish("<<".into(), 0, line),
        }
    }

    /// Takes a finished value: as the document, an element, a key or the value of a key.
    fn finish(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), SyntaxError> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        let taken = match self.open.last_mut() {
            None => {
                self.document = Some(value);
                Ok(())
            }
            Some(Open::Sequence { items, .. }) => {
                items.push(value);
                Ok(())
            }
            Some(Open::Mapping(mapping)) => mapping.take(value),
        };
        // The path is built for errors alone: a dump of a cluster has millions of values.
        match taken {
            Ok(()) => Ok(()),
            Err(Wrong::Duplicate(key)) => {
                let error = SyntaxError::DuplicateKey { key, mapping: self.field() };
                self.errors.push(At { line, error });
                Ok(())
            }
            Err(Wrong::Key) => Err(SyntaxError::Key(self.field())),
            Err(Wrong::Merge) => Err(SyntaxError::Merge(self.field())),
            Err(Wrong::LateMerge(key)) => Err(SyntaxError::LateMerge { key, mapping: self.field() }),
        }
    }

    /// The path of the value that comes next.
    fn field(&self) -> String {
        self.open.iter().fold(String::new(), |field, open| match open {
            Open::Sequence { items, .. } => format!("{field}[{}]", items.len()),
            Open::Mapping(Mapping { next: Next::Value(key), .. }) if field.is_empty() => key.clone(),
            Open::Mapping(Mapping { next: Next::Value(key), .. }) => format!("{field}.{key}"),
            Open::Mapping(_) => field,
        })
    }
}

// === impl Mapping ===

impl Mapping {
    /// Takes a key or a value. After a duplicate key, more can be taken.
    fn take(&mut self, value: Value) -> Result<(), Wrong> {
        match std::mem::take(&mut self.next) {
            Next::Key => {
                let key = scalar::key(&value).ok_or(Wrong::Key)?;
                if self.map.contains_key(&key) && !self.merged.remove(&key) {
                    self.next = Next::Dropped;
                    return Err(Wrong::Duplicate(key));
                }
                self.next = Next::Value(key);
            }
            Next::Value(key) => drop(self.map.insert(key, value)),
            Next::Dropped => {}
            Next::Merge => self.merge(value)?,
        }
        Ok(())
    }

    /// Merges a mapping, or a list of mappings of which the earlier ones win.
    fn merge(&mut self, source: Value) -> Result<(), Wrong> {
        let sources = match source {
            Value::Array(sources) => sources,
            source => vec![source],
        };
        for source in sources.into_iter().rev() {
            let Value::Object(source) = source else { return Err(Wrong::Merge) };
            for (key, value) in source {
                let explicit = self.map.get(&key).filter(|_| !self.merged.contains(&key));
                match explicit {
                    Some(own) if *own == value => {}
                    Some(_) => return Err(Wrong::LateMerge(key)),
                    None => {
                        self.merged.insert(key.clone());
                        self.map.insert(key, value);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The type that a tag gives to a scalar.
fn of(tag: &granit_parser::Tag) -> Tag {
    match (tag.handle(), tag.suffix()) {
        ("tag:yaml.org,2002:" | "!!", "bool") => Tag::Bool,
        ("tag:yaml.org,2002:" | "!!", "int") => Tag::Int,
        ("tag:yaml.org,2002:" | "!!", "float") => Tag::Float,
        ("tag:yaml.org,2002:" | "!!", "null") => Tag::Null,
        ("tag:yaml.org,2002:" | "!!", "timestamp") => Tag::Timestamp,
        ("tag:yaml.org,2002:" | "!!", "binary") => Tag::Binary,
        ("tag:yaml.org,2002:" | "!!", "merge") => Tag::Merge,
        _ => Tag::Text,
    }
}

/// About how much memory a value takes, in bytes.
fn size(value: &Value) -> usize {
    let below = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    below + size_of::<Value>()
}
