//! The first few of many things, for messages.

use std::fmt;

/// Shows the first `most` items, separated by commas, and how many more there are: `a, b and 3 more`.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a, T> {
    items: &'a [T],
    most: usize,
}

impl<'a, T> Listed<'a, T> {
    /// Shows at most `most` of these items.
    pub fn new(items: &'a [T], most: usize) -> Self {
        Self { items, most }
    }
}

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.items.iter().take(self.most).enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            item.fmt(f)?;
        }
        match self.items.len().saturating_sub(self.most) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_items_are_all_shown_and_of_many_the_rest_is_counted() {
        let items = ["a", "b", "c", "d", "e"];
        assert_eq!(Listed::new(&items, 2).to_string(), "a, b and 3 more");
        assert_eq!(Listed::new(&items, 5).to_string(), "a, b, c, d, e");
        assert_eq!(Listed::<&str>::new(&[], 5).to_string(), "");
    }
}
