//! Projects a canonical text to a field set, with the same result as projecting the tree, and
//! without making one.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Tree;
use crate::canonical;

/// Projects a canonical text; `None`: nothing is left, or the text is not valid JSON.
pub(super) fn project(tree: &Tree, text: &str) -> Option<String> {
    let mut kept = String::new();
    let is_kept = Keep { tree, kept: &mut kept }.deserialize(&mut serde_json::Deserializer::from_str(text)).ok()?;
    is_kept.then_some(kept)
}

/// Appends the projection of a value to `kept`; deserializes to whether anything of the value is
/// kept.
struct Keep<'a> {
    tree: &'a Tree,
    kept: &'a mut String,
}

/// Deserializes a key to the part of the tree below it.
struct Below<'a>(&'a Tree);

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        if self.tree.all {
            self.kept.push_str(<&RawValue>::deserialize(deserializer)?.get());
            return Ok(true);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<bool, A::Error> {
        let Self { tree, kept } = self;
        kept.push('{');
        let begin = kept.len();
        while let Some(below) = entries.next_key_seed(Below(tree))? {
            let Some((key, tree)) = below else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            let before = kept.len();
            if before > begin {
                kept.push(',');
            }
            kept.push_str(&canonical::text(&key.as_str().into()));
            kept.push(':');
            if !entries.next_value_seed(Keep { tree, kept })? {
                kept.truncate(before);
            }
        }
        kept.push('}');
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let Self { tree, kept } = self;
        if tree.each.is_none() && tree.only.is_empty() {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(false);
        }
        kept.push('[');
        let begin = kept.len();
        if let (Some(tree), true) = (&tree.each, tree.only.is_empty()) {
            loop {
                let before = kept.len();
                if before > begin {
                    kept.push(',');
                }
                match items.next_element_seed(Keep { tree, kept })? {
                    Some(true) => {}
                    Some(false) => kept.push_str("null"),
                    None => break kept.truncate(before),
                }
            }
        } else {
            // The field that decides whether an element is in the set may be its last.
            while let Some(item) = items.next_element::<Value>()? {
                if let Some(tree) = tree.for_element(&item) {
                    if kept.len() > begin {
                        kept.push(',');
                    }
                    kept.push_str(&canonical::text(&tree.project(&item).unwrap_or(Value::Null)));
                }
            }
        }
        kept.push(']');
        Ok(true)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

impl<'de, 'a> DeserializeSeed<'de> for Below<'a> {
    type Value = Option<(&'a String, &'a Tree)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Below<'a> {
    type Value = Option<(&'a String, &'a Tree)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.keys.get_key_value(key))
    }
}
