//! What is wrong with the configuration is told once, however often it is taken in anew: at a start that is with every object that changes.

use std::collections::BTreeSet;

/// What was wrong when it was last looked at.
#[derive(Default)]
pub(crate) struct Told(BTreeSet<String>);

impl Told {
    /// Those of all that is wrong now that were not wrong before. What is mended and wrong again is told again.
    pub(crate) fn news(&mut self, wrong: impl IntoIterator<Item = String>) -> Vec<String> {
        let wrong: BTreeSet<_> = wrong.into_iter().collect();
        let news = wrong.difference(&self.0).cloned().collect();
        self.0 = wrong;
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_wrong_is_told_once_and_what_is_wrong_again_is_told_again() {
        let mut told = Told::default();
        let mut news = |wrong: &[&str]| told.news(wrong.iter().map(ToString::to_string));
        assert_eq!(news(&["a", "b"]), ["a", "b"]);
        assert_eq!(news(&["b", "c"]), ["c"]);
        assert_eq!(news(&["a", "b"]), ["a"]);
    }
}
