//! A set that usually has one element. The indexes have tens of thousands of such sets, and the
//! first node of a `BTreeSet` has room for eleven elements.

use std::collections::BTreeSet;
use std::ops::Bound;

/// An ordered set that allocates nothing for its first element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T>(Elements<T>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Elements<T> {
    None,
    One(T),
    /// Two or more.
    Many(BTreeSet<T>),
}

// === impl Few ===

impl<T: Ord> Few<T> {
    /// Inserts an element.
    pub fn insert(&mut self, element: T) {
        self.0 = match std::mem::replace(&mut self.0, Elements::None) {
            Elements::None => Elements::One(element),
            Elements::One(own) if own == element => Elements::One(own),
            Elements::One(own) => Elements::Many(BTreeSet::from([own, element])),
            Elements::Many(mut all) => {
                all.insert(element);
                Elements::Many(all)
            }
        };
    }

    /// Removes an element.
    pub fn remove(&mut self, element: &T) {
        self.0 = match std::mem::replace(&mut self.0, Elements::None) {
            Elements::One(own) if own == *element => Elements::None,
            Elements::Many(mut all) => {
                all.remove(element);
                match all.len() {
                    1 => all.pop_first().map_or(Elements::None, Elements::One),
                    _ => Elements::Many(all),
                }
            }
            other => other,
        };
    }

    /// The elements from `first` on, in their order.
    pub fn from<'a>(&'a self, first: &T) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let (one, many) = match &self.0 {
            Elements::None => (None, None),
            Elements::One(own) => (Some(own).filter(|own| *own >= first), None),
            Elements::Many(all) => (None, Some(all.range((Bound::Included(first), Bound::Unbounded)))),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

impl<T> Few<T> {
    /// An empty set.
    pub const fn new() -> Self {
        Self(Elements::None)
    }

    /// The elements, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match &self.0 {
            Elements::None => (None, None),
            Elements::One(own) => (Some(own), None),
            Elements::Many(all) => (None, Some(all)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Elements::None)
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_the_same_elements_as_a_set(
            steps in prop::collection::vec((any::<bool>(), 0..4_u8), 0..24), first in 0..4_u8
        ) {
            let (mut few, mut set) = (Few::default(), BTreeSet::new());
            for (insert, element) in steps {
                if insert {
                    few.insert(element);
                    set.insert(element);
                } else {
                    few.remove(&element);
                    set.remove(&element);
                }
                prop_assert!(few.iter().eq(&set));
                prop_assert!(few.from(&first).eq(set.range(first..)));
                prop_assert_eq!(few.is_empty(), set.is_empty());
            }
        }
    }
}
