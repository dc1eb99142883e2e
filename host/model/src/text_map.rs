//! A map by text that can be asked both ways: which keys begin with this text, and which keys does this text begin with?

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// An ordered map by text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextMap<V>(BTreeMap<Arc<str>, V>);

// === impl TextMap ===

impl<V> TextMap<V> {
    /// What is at a text.
    pub fn get(&self, text: &str) -> Option<&V> {
        self.0.get(text)
    }

    /// What is at a text, or a new one.
    pub fn entry(&mut self, text: &str) -> &mut V
    where
        V: Default,
    {
        // Not by the map's own entry: the text is copied for the first of its kind alone.
        if !self.0.contains_key(text) {
            self.0.insert(text.into(), V::default());
        }
        self.0.entry(text.into()).or_default()
    }

    /// Changes what is at a text, and takes it out if it is then `empty`.
    pub fn shrink(&mut self, text: &str, change: impl FnOnce(&mut V), empty: impl FnOnce(&V) -> bool) {
        if let Some(value) = self.0.get_mut(text) {
            change(value);
            if empty(value) {
                self.0.remove(text);
            }
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key, with what is there, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// What is at the keys that begin with a text. Costs as much as there are.
    pub fn starting_with<'a, 't>(&'a self, text: &'t str) -> impl Iterator<Item = &'a V> + use<'a, 't, V> {
        let from = self.0.range::<str, _>((Bound::Included(text), Bound::Unbounded));
        from.take_while(move |(key, _)| key.starts_with(text)).map(|(_, value)| value)
    }

    /// What is at the keys that a text begins with, the longest first. Costs as much as there are, and at most a look for each byte
    /// of the text, whatever else is in the map.
    pub fn prefixes_of<'a, 't>(&'a self, text: &'t str) -> impl Iterator<Item = &'a V> + use<'a, 't, V> {
        // Every prefix that is still to be found is in the order not behind `below`.
        let mut below = Some(Bound::Included(text));
        std::iter::from_fn(move || {
            loop {
                let (key, value) = self.0.range::<str, _>((Bound::Unbounded, below?)).next_back()?;
                if text.starts_with(&**key) {
                    below = Some(Bound::Excluded(&text[..key.len()]));
                    return Some(value);
                }
                // Nothing between the two is a prefix of the text: such a one would begin as both do, and then like the text alone.
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

/// How many bytes both texts begin with, in whole characters.
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
        fn both_ways_find_what_looking_at_every_key_finds(
            keys in prop::collection::vec("[aé/]{0,4}", 0..24), text in "[aéz/]{0,5}"
        ) {
            let map = of(&keys);
            let all = |wanted: &dyn Fn(&str) -> bool| -> Vec<_> { map.iter().map(|(key, _)| key).filter(|key| wanted(key)).collect() };
            let longer: Vec<_> = map.starting_with(&text).map(String::as_str).collect();
            prop_assert_eq!(longer, all(&|key| key.starts_with(&text)));
            let mut shorter: Vec<_> = map.prefixes_of(&text).map(String::as_str).collect();
            shorter.reverse();
            prop_assert_eq!(shorter, all(&|key| text.starts_with(key)));
        }
    }

    #[test]
    fn what_became_empty_is_taken_out() {
        let mut map = of(&["a".into()]);
        map.shrink("b", String::clear, String::is_empty);
        assert!(!map.is_empty());
        map.shrink("a", String::clear, String::is_empty);
        assert!(map.is_empty());
    }
}
