//! Lists in messages: the first few items, and how many more there are.

use std::fmt;

/// Displays the first items of a list and counts the others: `a, b, c and 2 more`.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a, T> {
    shown: &'a [T],
    total: usize,
    separator: &'a str,
}

impl<'a, T> Listed<'a, T> {
    /// Shows at most `most` of `items`.
    pub fn first(most: usize, items: &'a [T]) -> Self {
        Self::of_total(&items[..items.len().min(most)], items.len())
    }

    /// Shows all of `shown`, which are the first of `total` items.
    pub fn of_total(shown: &'a [T], total: usize) -> Self {
        Self { shown, total, separator: ", " }
    }

    /// Separates the items by `separator` instead of `, `: for items that contain commas.
    #[must_use]
    pub fn separated_by(self, separator: &'a str) -> Self {
        Self { separator, ..self }
    }
}

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.shown.iter().enumerate() {
            let separator = if at == 0 { "" } else { self.separator };
            write!(f, "{separator}{item}")?;
        }
        match self.total.saturating_sub(self.shown.len()) {
            0 => Ok(()),
            more if self.shown.is_empty() => write!(f, "{more} more"),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_shows_its_first_items_and_counts_the_others() {
        let items = ["a", "b", "c", "d"];
        assert_eq!(Listed::first(2, &items).to_string(), "a, b and 2 more");
        assert_eq!(Listed::first(4, &items).to_string(), "a, b, c, d");
        assert_eq!(Listed::first(9, &items).to_string(), "a, b, c, d");
        assert_eq!(Listed::first(0, &items).to_string(), "4 more");
        assert_eq!(Listed::first(3, &[""; 0]).to_string(), "");
    }

    #[test]
    fn items_that_were_counted_and_not_kept_are_counted_too() {
        assert_eq!(Listed::of_total(&["a", "b"], 7).to_string(), "a, b and 5 more");
        assert_eq!(Listed::of_total(&["a", "b"], 1).to_string(), "a, b");
    }

    #[test]
    fn sentences_are_separated_by_semicolons() {
        let listed = Listed::first(2, &["a, as b", "c", "d"]).separated_by("; ").to_string();
        assert_eq!(listed, "a, as b; c and 1 more");
    }
}
