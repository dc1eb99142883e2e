//! A map by text with two prefix searches: which keys start with a text, and which keys does a text
//! start with?

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// An ordered map by text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMap<V>(BTreeMap<Arc<str>, V>);

// === impl TextMap ===

impl<V> TextMap<V> {
    /// The value at a text.
    pub fn get(&self, text: &str) -> Option<&V> {
        self.0.get(text)
    }

    /// The value at a text, inserted by default.
    pub fn entry(&mut self, text: &str) -> &mut V
    where
        V: Default,
    {
        // The map's own entry would copy the text in every call, not only the first.
        if !self.0.contains_key(text) {
            self.0.insert(text.into(), V::default());
        }
        self.0.entry(text.into()).or_default()
    }

    /// Changes the value at a text, and removes it if it is then `empty`.
    pub fn shrink(&mut self, text: &str, change: impl FnOnce(&mut V), empty: impl FnOnce(&V) -> bool) {
        if let Some(value) = self.0.get_mut(text) {
            change(value);
            if empty(value) {
                self.0.remove(text);
            }
        }
    }

    /// Whether the map is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key with its value, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The values at the keys that start with a text. The cost is that of the values found.
    pub fn starting_with<'a, 't>(&'a self, text: &'t str) -> impl Iterator<Item = &'a V> + use<'a, 't, V> {
        let from = self.0.range::<str, _>((Bound::Included(text), Bound::Unbounded));
        from.take_while(move |(key, _)| key.starts_with(text)).map(|(_, value)| value)
    }

    /// The values at the keys that are prefixes of a text, the longest first. The cost is that of
    /// the values found, and at most one search for each byte of the text, whatever else is in the
    /// map.
    pub fn prefixes_of<'a, 't>(&'a self, text: &'t str) -> impl Iterator<Item = &'a V> + use<'a, 't, V> {
        // Every prefix that is still to be found sorts at or before `below`.
        let mut below = Some(Bound::Included(text));
        std::iter::from_fn(move || {
            loop {
                let (key, value) = self.0.range::<str, _>((Bound::Unbounded, below?)).next_back()?;
                if text.starts_with(&**key) {
                    below = Some(Bound::Excluded(&text[..key.len()]));
                    return Some(value);
                }
                // A prefix of the text that is longer than what `key` shares with the text sorts after
                // `key`: it has been passed already.
                below = Some(Bound::Included(&text[..shared(key, text)]));
            }
        })
    }
}

impl<V> Default for TextMap<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// The length of the common prefix in bytes, in whole characters.
fn shared(a: &str, b: &str) -> usize {
    let bytes = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    b.floor_char_boundary(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(keys: &[String]) -> TextMap<String> {
        let mut map = TextMap::<String>::default();
        for key in keys {
            map.entry(key).clone_from(key);
        }
        map
    }

    proptest! {
        #[test]
        fn both_searches_find_the_same_as_a_full_scan(
            keys in prop::collection::vec("[aé/]{0,4}", 0..24), text in "[aéz/]{0,5}"
        ) {
            let map = of(&keys);
            let all = |wanted: &dyn Fn(&str) -> bool| -> Vec<_> {
                map.iter().map(|(key, _)| key).filter(|key| wanted(key)).collect()
            };
            let longer: Vec<_> = map.starting_with(&text).map(String::as_str).collect();
            prop_assert_eq!(longer, all(&|key| key.starts_with(&text)));
            let mut shorter: Vec<_> = map.prefixes_of(&text).map(String::as_str).collect();
            shorter.reverse();
            prop_assert_eq!(shorter, all(&|key| text.starts_with(key)));
        }
    }

    #[test]
    fn a_value_that_became_empty_is_removed() {
        let mut map = of(&["a".into()]);
        map.shrink("b", String::clear, String::is_empty);
        assert!(!map.is_empty());
        map.shrink("a", String::clear, String::is_empty);
        assert!(map.is_empty());
    }
}
