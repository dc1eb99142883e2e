//! One path into an object, and the texts that are found at its end.

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use lru::LruCache;
use serde_json::Value;

/// A dotted path, parsed: `spec.http[*].match[*].uri.prefix`. Two spellings of one path are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Arc<[Step]>);

/// Bytes of a path. What walks along paths calls itself at each step: stops a component from overflowing the host's stack with a path of a
/// million steps, and from filling the read index with long ones.
pub const LONGEST_PATH: usize = 1024;

/// Paths that were parsed: a plugin asks by the same few in every call, and each of thousands of reads holds its own.
static PARSED: LazyLock<Mutex<LruCache<Box<str>, FieldPath>>> =
    LazyLock::new(|| Mutex::new(LruCache::new(NonZero::<usize>::MIN.saturating_add(255))));

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Each,
    Only(String, String),
}

/// Why a path is not one.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Nothing between two dots, or no path at all.
    #[error("field path `{0}` has an empty step; write e.g. `spec.containers[*].image`")]
    EmptyStep(String),
    /// Something else than `[*]`, `[key=value]` or `['key']` in brackets.
    #[error(
        "field path `{0}` has a bad bracket; write `[*]` for each element, `[name=x]` for some, or `['a.dotted/key']`"
    )]
    Bracket(String),
    /// Longer than [`LONGEST_PATH`].
    #[error("a field path has {0} bytes; {LONGEST_PATH} are the most")]
    TooLong(usize),
}

// === impl FieldPath ===

impl FieldPath {
    /// Parses a dotted path, as in [`Fields`](super::Fields).
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if path.len() > LONGEST_PATH {
            return Err(PathError::TooLong(path.len()));
        }
        let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = parsed.get(path) {
            return Ok(known.clone());
        }
        let new = Self(steps(path)?.into());
        parsed.put(path.into(), new.clone());
        Ok(new)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Gives each text at the end of the path. Numbers, booleans and fields that are not there are no texts.
    pub fn texts<'a>(&self, object: &'a Value, mut found: impl FnMut(&'a str)) {
        texts(&self.0, object, &mut found);
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '[']) => write!(f, "['{key}']")?,
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Each => f.write_str("[*]")?,
                Step::Only(key, value) => write!(f, "[{key}={value}]")?,
            }
        }
        Ok(())
    }
}

fn texts<'a>(steps: &[Step], value: &'a Value, found: &mut impl FnMut(&'a str)) {
    match (steps.split_first(), value) {
        (None, Value::String(text)) => found(text),
        (Some((Step::Key(key), rest)), Value::Object(map)) => {
            if let Some(value) = map.get(key) {
                texts(rest, value, found);
            }
        }
        (Some((Step::Each, rest)), Value::Array(items)) => items.iter().for_each(|item| texts(rest, item, found)),
        (Some((Step::Only(key, own), rest)), Value::Array(items)) => {
            let these = items.iter().filter(|item| item[key].as_str() == Some(own));
            these.for_each(|item| texts(rest, item, found));
        }
        _ => {}
    }
}

fn steps(path: &str) -> Result<Vec<Step>, PathError> {
    let bracket = || PathError::Bracket(path.to_owned());
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err(PathError::EmptyStep(path.to_owned()));
        }
        steps.push(Step::Key(rest[..end].to_owned()));
        rest = &rest[end..];
        while let Some(inner) = rest.strip_prefix('[') {
            if let Some(after) = inner.strip_prefix("*]") {
                steps.push(Step::Each);
                rest = after;
            } else if let Some(quoted) = inner.strip_prefix('\'') {
                let (key, after) = quoted.split_once("']").ok_or_else(bracket)?;
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            } else {
                let (only, after) = inner.split_once(']').ok_or_else(bracket)?;
                let (key, value) = only.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(bracket)?;
                steps.push(Step::Only(key.to_owned(), value.to_owned()));
                rest = after;
            }
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(steps),
            None => return Err(bracket()),
        }
    }
}
