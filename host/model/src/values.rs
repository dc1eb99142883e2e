//! Value selectors: which objects have a text in one of their fields.
//!
//! What an index can answer, and no more: of one field its text, what it begins with, or what it is the beginning of. Several are held
//! as *any of*: the answer is the union of what each finds, so it costs what it finds. *All of* would cost what its weakest part finds,
//! and would say of two elements of a list what was meant of one; who wants less looks at what came back.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::fields::{FieldPath, Fields, PathError};

/// Value selectors of one question. Stops a plugin from filling the read index with one read: each is an entry of its own there, held as
/// long as the subject is.
pub const MOST_SELECTORS: usize = 64;

/// Bytes of the text of one value selector. Stops a plugin from filling the read index with long texts. Of a field
/// with a longer text so much is looked at as decides: no text that is asked for is longer.
pub const LONGEST_TEXT: usize = 1024;

/// What is asked of a field's text. Of numbers, booleans and fields that are not there nothing is true.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextTest {
    /// It is this.
    Equals(Arc<str>),
    /// It begins with this.
    StartsWith(Arc<str>),
    /// This begins with it.
    PrefixOf(Arc<str>),
}

/// A field, and what is asked of its text. Where the path leads to several (`[*]`), it is enough that one is so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueSelector {
    path: FieldPath,
    test: TextTest,
}

/// Selects the objects of which any of some value selectors is true; without any, none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Values(Arc<[ValueSelector]>);

/// Why value selectors are refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ValuesError {
    /// Too many of them.
    #[error("{0} value selectors; {MOST_SELECTORS} are the most, ask in several reads")]
    TooMany(usize),
    /// A text that is too long.
    #[error("value selector {at}: its text has {bytes} bytes; {LONGEST_TEXT} are the most")]
    TooLong {
        /// Its place, from 0.
        at: usize,
        /// How long its text is.
        bytes: usize,
    },
    /// A path that is none.
    #[error("value selector {at}: {error}")]
    Path {
        /// Its place, from 0.
        at: usize,
        /// What is wrong with it.
        error: PathError,
    },
}

/// Why value selectors are not let through.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotVisible {
    /// The question names no field set.
    #[error("value selectors need a field set that holds their fields: name one")]
    NoSet,
    /// The field set does not hold a field that is asked for.
    #[error("a value selector asks for `{path}`, which field set `{set}` does not hold: add it there")]
    Beyond {
        /// The field.
        path: FieldPath,
        /// The field set.
        set: String,
    },
}

// === impl TextTest ===

impl TextTest {
    /// The text that a field's is held against.
    pub fn text(&self) -> &Arc<str> {
        let (Self::Equals(text) | Self::StartsWith(text) | Self::PrefixOf(text)) = self;
        text
    }

    /// Whether it is true of a field's text.
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
    /// Which field.
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// What is asked of its text.
    pub fn test(&self) -> &TextTest {
        &self.test
    }
}

// === impl Values ===

impl Values {
    /// Parses paths and what is asked of their texts.
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

    /// Each of them once, in an order of their own.
    pub fn iter(&self) -> impl Iterator<Item = &ValueSelector> {
        self.0.iter()
    }

    /// Lets them through if they ask for nothing but what comes back: what a plugin does not see, it can't feel out either. `set` is
    /// the name of the question's field set, `fields` what comes back.
    pub fn admit(&self, set: Option<&str>, fields: &Fields) -> Result<(), NotVisible> {
        let set = set.ok_or(NotVisible::NoSet)?;
        match self.iter().map(ValueSelector::path).find(|path| !fields.holds(path)) {
            None => Ok(()),
            Some(path) => Err(NotVisible::Beyond { path: path.clone(), set: set.to_owned() }),
        }
    }

    /// Whether an object is selected.
    pub fn matches(&self, object: &Value) -> bool {
        self.iter().any(|selector| {
            let mut is = false;
            selector.path.texts(object, |text| is |= selector.test.is_true_of(text));
            is
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

/// The texts at a path of an object, each once, as far as any selector can tell them apart: what an index holds.
pub fn texts(path: &FieldPath, object: &Value) -> BTreeSet<Box<str>> {
    let mut texts = BTreeSet::new();
    // A longer text equals nothing that is asked for, and is no prefix of it. Cut like this it still is longer.
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
    fn a_field_of_any_element_is_enough() {
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
    fn what_is_no_text_or_not_there_is_never_found() {
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
    fn the_same_selectors_in_another_order_are_the_same() {
        let (a, b) = (("spec.a", TextTest::Equals("x".into())), ("spec['a']", TextTest::PrefixOf("x".into())));
        let both = Values::parse([a.clone(), b.clone()]).unwrap();
        assert_eq!(both, Values::parse([b.clone(), a, b]).unwrap());
        assert_eq!(both.iter().count(), 2);
    }

    #[test]
    fn too_many_too_long_and_ill_formed_ones_are_refused() {
        let one = |path: &str, text: &str| Values::parse([(path, TextTest::Equals(text.into()))]);
        let many = vec![("spec.a", TextTest::Equals("x".into())); 10_000];
        assert_eq!(Values::parse(many), Err(ValuesError::TooMany(MOST_SELECTORS + 1)));
        assert!(one("spec.a", &"x".repeat(LONGEST_TEXT)).is_ok());
        assert_eq!(
            one("spec.a", &"x".repeat(1 << 20)).unwrap_err().to_string(),
            "value selector 0: its text has 1048576 bytes; 1024 are the most"
        );
        assert!(matches!(one(&"x".repeat(1 << 20), ""), Err(ValuesError::Path { error: PathError::TooLong(_), .. })));
        assert!(matches!(one("spec..a", ""), Err(ValuesError::Path { at: 0, .. })));
    }

    #[test]
    fn what_an_index_holds_of_a_long_text_decides_as_the_text_itself() {
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
