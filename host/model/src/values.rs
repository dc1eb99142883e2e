//! Value selectors: which objects have a text in one of their fields.
//!
//! They support what an index can find, and no more: a field whose text equals a value, starts with
//! it, or is a prefix of it. Several selectors mean *any of*: the result is the union of what each
//! selector finds, at the cost of the result. *All of* would cost as much as its least selective
//! part finds, and could match two elements of a list where one is meant; plugins filter the result
//! themselves.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::fields::{FieldPath, Fields, PathError};

/// The most value selectors of one read. Stops a plugin from filling the read index with one read:
/// each selector is an entry there, for as long as the subject exists.
pub const MOST_SELECTORS: usize = 64;

/// The most bytes of the text of a value selector. Stops a plugin from filling the read index with
/// long texts. Of a longer text in a field, the index keeps as much as decides every selector.
pub const LONGEST_TEXT: usize = 1024;

/// A test of a field's text. Numbers, booleans and absent fields never pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextTest {
    /// The field's text equals this.
    Equals(Arc<str>),
    /// The field's text starts with this.
    StartsWith(Arc<str>),
    /// The field's text is a prefix of this.
    PrefixOf(Arc<str>),
}

/// A field and a test of its text. If the path leads to several fields (`[*]`), one that passes is
/// enough.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueSelector {
    path: FieldPath,
    test: TextTest,
}

/// Selects the objects that match any of these value selectors; without selectors, none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Values(Arc<[ValueSelector]>);

/// Why value selectors are refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValuesError {
    /// Too many of them.
    #[error("{0} value selectors; the limit is {MOST_SELECTORS}, split them into several reads")]
    TooMany(usize),
    /// A text that is too long.
    #[error("value selector {at}: its text has {bytes} bytes; the limit is {LONGEST_TEXT}")]
    TooLong {
        /// The index of the selector, from 0.
        at: usize,
        /// The length of its text.
        bytes: usize,
    },
    /// A path that is not valid.
    #[error("value selector {at}: {error}")]
    Path {
        /// The index of the selector, from 0.
        at: usize,
        /// What is wrong with the path.
        #[source]
        error: PathError,
    },
}

/// Why value selectors are refused for a field set.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotVisible {
    /// The read names no field set.
    #[error("value selectors need a field set that has their fields: name one")]
    NoSet,
    /// The field set does not have a selected field.
    #[error("a value selector uses `{path}`, which field set `{set}` does not have: add it there")]
    Beyond {
        /// The field.
        path: FieldPath,
        /// The field set.
        set: String,
    },
}

// === impl TextTest ===

impl TextTest {
    /// The text that a field's text is compared with.
    pub fn text(&self) -> &Arc<str> {
        let (Self::Equals(text) | Self::StartsWith(text) | Self::PrefixOf(text)) = self;
        text
    }

    /// Whether a field's text passes.
    pub fn is_true_of(&self, text: &str) -> bool {
        match self {
            Self::Equals(own) => **own == *text,
            Self::StartsWith(own) => text.starts_with(&**own),
            Self::PrefixOf(own) => own.starts_with(text),
        }
    }
}

// === impl ValueSelector ===

impl ValueSelector {
    /// The field.
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// The test of its text.
    pub fn test(&self) -> &TextTest {
        &self.test
    }
}

// === impl Values ===

impl Values {
    /// Parses paths with the tests of their texts.
    ///
    /// # Errors
    /// When a path is not valid, a text is too long, or there are too many selectors.
    pub fn parse<P: AsRef<str>>(selectors: impl IntoIterator<Item = (P, TextTest)>) -> Result<Self, ValuesError> {
        let mut parsed = BTreeSet::new();
        for (at, (path, test)) in selectors.into_iter().enumerate() {
            if at >= MOST_SELECTORS {
                return Err(ValuesError::TooMany(at + 1));
            }
            let bytes = test.text().len();
            if bytes > LONGEST_TEXT {
                return Err(ValuesError::TooLong { at, bytes });
            }
            let path = FieldPath::parse(path.as_ref()).map_err(|error| ValuesError::Path { at, error })?;
            parsed.insert(ValueSelector { path, test });
        }
        Ok(Self(parsed.into_iter().collect()))
    }

    /// Each selector once, in a canonical order.
    pub fn iter(&self) -> impl Iterator<Item = &ValueSelector> {
        self.0.iter()
    }

    /// Checks that the selectors use only fields that the read returns: a plugin must not be able
    /// to probe fields that it can not see. `set` is the name of the read's field set, `fields` its
    /// fields.
    ///
    /// # Errors
    /// When a selector uses another field, or the read has no field set.
    pub fn admit(&self, set: Option<&str>, fields: &Fields) -> Result<(), NotVisible> {
        let set = set.ok_or(NotVisible::NoSet)?;
        match self.iter().map(ValueSelector::path).find(|path| !fields.contains(path)) {
            None => Ok(()),
            Some(path) => Err(NotVisible::Beyond { path: path.clone(), set: set.to_owned() }),
        }
    }

    /// Whether an object matches.
    pub fn matches(&self, object: &Value) -> bool {
        self.iter().any(|selector| {
            let mut passes = false;
            selector.path.texts(object, |text| passes |= selector.test.is_true_of(text));
            passes
        })
    }
}

impl fmt::Display for ValueSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (how, text) = match &self.test {
            TextTest::Equals(text) => ("is", text),
            TextTest::StartsWith(text) => ("starts with", text),
            TextTest::PrefixOf(text) => ("is a prefix of", text),
        };
        write!(f, "`{}` {how} `{text}`", self.path)
    }
}

/// The texts at a path of an object, each once, cut so that every selector still decides the same:
/// the entries of an index.
pub fn texts(path: &FieldPath, object: &Value) -> BTreeSet<Box<str>> {
    let mut texts = BTreeSet::new();
    // A text beyond the limit equals no selector's text and is no prefix of one. After the cut it
    // is still beyond the limit.
    path.texts(object, |text| {
        texts.insert(text[..text.floor_char_boundary(LONGEST_TEXT + 4)].into());
    });
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(path: &str, test: TextTest) -> bool {
        let route = json!({"spec": {"port": 80, "tls": null, "http": [
            {"match": [{"uri": {"prefix": "/shop/cart"}}, {"uri": {"exact": "/"}}]}, {"route": []}]}});
        Values::parse([(path, test)]).unwrap().matches(&route)
    }

    #[test]
    fn one_matching_element_is_enough() {
        let path = "spec.http[*].match[*].uri.prefix";
        for (test, expected) in [
            (TextTest::Equals("/shop/cart".into()), true),
            (TextTest::Equals("/shop".into()), false),
            (TextTest::StartsWith("/shop".into()), true),
            (TextTest::StartsWith("/shop/cart/1".into()), false),
            (TextTest::PrefixOf("/shop/cart/1".into()), true),
            (TextTest::PrefixOf("/shop".into()), false),
        ] {
            assert_eq!(selects(path, test.clone()), expected, "{test:?}");
        }
    }

    #[test]
    fn values_that_are_not_texts_and_absent_fields_never_match() {
        for path in
            ["spec.port", "spec.tls", "spec.http", "spec.other", "spec.http[*].match[*].uri.regex", "spec.port.x"]
        {
            assert!(!selects(path, TextTest::StartsWith("".into())), "{path}");
        }
    }

    #[test]
    fn without_a_selector_nothing_is_selected() {
        assert!(!Values::parse(Vec::<(&str, TextTest)>::new()).unwrap().matches(&json!({})));
    }

    #[test]
    fn the_order_of_selectors_does_not_matter() {
        let (a, b) = (("spec.a", TextTest::Equals("x".into())), ("spec['a']", TextTest::PrefixOf("x".into())));
        let both = Values::parse([a.clone(), b.clone()]).unwrap();
        assert_eq!(both, Values::parse([b.clone(), a, b]).unwrap());
        assert_eq!(both.iter().count(), 2);
    }

    #[test]
    fn too_many_too_long_and_invalid_selectors_are_refused() {
        let one = |path: &str, text: &str| Values::parse([(path, TextTest::Equals(text.into()))]);
        let many = vec![("spec.a", TextTest::Equals("x".into())); 10_000];
        assert_eq!(Values::parse(many), Err(ValuesError::TooMany(MOST_SELECTORS + 1)));
        assert!(one("spec.a", &"x".repeat(LONGEST_TEXT)).is_ok());
        assert_eq!(
            one("spec.a", &"x".repeat(1 << 20)).unwrap_err().to_string(),
            "value selector 0: its text has 1048576 bytes; the limit is 1024"
        );
        assert!(matches!(one(&"x".repeat(1 << 20), ""), Err(ValuesError::Path { error: PathError::TooLong(_), .. })));
        assert!(matches!(one("spec..a", ""), Err(ValuesError::Path { at: 0, .. })));
    }

    #[test]
    fn the_cut_text_in_an_index_matches_like_the_long_text_itself() {
        let long = "é".repeat(LONGEST_TEXT);
        let object = json!({"a": long});
        let path = FieldPath::parse("a").unwrap();
        let held = texts(&path, &object).pop_first().unwrap();
        assert!(held.len() > LONGEST_TEXT && held.len() < LONGEST_TEXT + 8);
        let asked: Arc<str> = long[..LONGEST_TEXT].into();
        for test in [TextTest::Equals(asked.clone()), TextTest::StartsWith(asked.clone()), TextTest::PrefixOf(asked)] {
            assert_eq!(test.is_true_of(&held), test.is_true_of(&long), "{test:?}");
        }
    }
}
