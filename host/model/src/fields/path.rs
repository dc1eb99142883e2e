//! A path into an object, and the texts at its end.

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use lru::LruCache;
use parking_lot::Mutex;
use serde_json::Value;

/// A dotted path, parsed: `spec.http[*].match[*].uri.prefix`. Two spellings of one path are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldPath(Arc<[Step]>);

/// The most bytes of a path. Functions that follow a path are recursive: the limit stops a
/// component from overflowing the host's stack with a path of a million steps, and from filling the
/// read index with long paths.
pub const LONGEST_PATH: usize = 1024;

/// Recently parsed paths: a plugin uses the same few paths in every call, and thousands of recorded
/// reads share them.
static PARSED: LazyLock<Mutex<LruCache<Box<str>, FieldPath>>> =
    LazyLock::new(|| Mutex::new(LruCache::new(NonZero::<usize>::MIN.saturating_add(255))));

/// One step down.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Each,
    Only(String, String),
}

/// Why a text is not a field path.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Two dots without a key between them, or an empty path.
    #[error("field path `{0}` has an empty step; write e.g. `spec.containers[*].image`")]
    EmptyStep(String),
    /// A bracket that is none of `[*]`, `[key=value]` and `['key']`.
    #[error(
        "field path `{0}` has a bad bracket; write `[*]` for each element, `[name=x]` for some, or `['a.dotted/key']`"
    )]
    Bracket(String),
    /// Longer than [`LONGEST_PATH`].
    #[error("a field path has {0} bytes; the limit is {LONGEST_PATH}")]
    TooLong(usize),
}

// === impl FieldPath ===

impl FieldPath {
    /// Parses a dotted path, with the syntax of [`Fields`](crate::Fields).
    ///
    /// # Errors
    /// When the path is not valid or too long.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if path.len() > LONGEST_PATH {
            return Err(PathError::TooLong(path.len()));
        }
        let mut parsed = PARSED.lock();
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

    /// Calls `found` with each text at the end of the path. Numbers, booleans and absent fields are
    /// not texts.
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
