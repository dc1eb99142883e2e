//! For which causes a workload was restarted: the value of an annotation on its pod template.

use std::collections::BTreeSet;
use std::fmt;

/// Findings that one mark remembers. A workload that was restarted for more, under one expectation, is not restarted again: this ends
/// what would go in circles, such as two injectors that give pods different proxies by turns.
const MOST: usize = 8;

/// A cause is what is expected together with what was found instead. The mark remembers one expectation, and all that was found: so a
/// workload is restarted once for each cause, and again when a pod came to differ in another way under the same expectation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    expected: Box<str>,
    found: BTreeSet<Box<str>>,
}

/// A short digest of a text, 16 hexadecimal digits: the same text, the same digest.
pub fn digest(text: &str) -> String {
    short(text, 16)
}

fn short(text: &str, digits: usize) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(digits).collect()
}

/// The digest of a finding, as marks hold it.
pub(crate) fn finding(text: &str) -> Box<str> {
    short(text, 8).into()
}

impl Mark {
    /// The mark in an annotation's value: `<expected>:<found>,<found>`. Whatever else stands there is a mark of another expectation.
    pub fn parse(text: &str) -> Self {
        let (expected, found) = text.split_once(':').unwrap_or((text, ""));
        let found = found.split(',').filter(|found| !found.is_empty()).map(Into::into).collect();
        Self { expected: expected.into(), found }
    }

    /// Whether a restart under this mark was, or would have been, for this cause.
    pub(crate) fn covers(&self, expected: &str, found: &str) -> bool {
        *self.expected == *expected && (self.found.contains(found) || self.found.len() >= MOST)
    }

    /// This mark, with these causes too. What was found under another expectation is forgotten.
    pub(crate) fn with(&self, expected: &str, found: &BTreeSet<Box<str>>) -> Self {
        let mut all = if *self.expected == *expected { self.found.clone() } else { BTreeSet::new() };
        all.extend(found.iter().take(MOST).cloned());
        Self { expected: expected.into(), found: all }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expected)?;
        for (at, found) in self.found.iter().enumerate() {
            f.write_str(if at == 0 { ":" } else { "," })?;
            f.write_str(found)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(found: &[&str]) -> BTreeSet<Box<str>> {
        found.iter().map(|&found| found.into()).collect()
    }

    #[test]
    fn a_mark_covers_what_it_was_made_for_and_nothing_else() {
        let mark = Mark::default().with("e", &set(&["b", "a"]));
        assert_eq!(mark.to_string(), "e:a,b");
        assert_eq!(Mark::parse("e:a,b"), mark);
        assert!(mark.covers("e", "a") && mark.covers("e", "b"));
        assert!(!mark.covers("e", "c") && !mark.covers("f", "a"));
    }

    #[test]
    fn another_expectation_begins_anew_and_the_same_remembers() {
        let mark = Mark::parse("e:a");
        assert_eq!(mark.with("e", &set(&["c"])).to_string(), "e:a,c");
        assert_eq!(mark.with("f", &set(&["c"])).to_string(), "f:c");
    }

    #[test]
    fn what_somebody_wrote_by_hand_covers_nothing() {
        for text in ["", "now", ":", "2026-01-01T00:00:00Z"] {
            assert!(!Mark::parse(text).covers("e", "a"), "{text}");
        }
    }

    #[test]
    fn restarts_under_one_expectation_come_to_an_end() {
        let mut mark = Mark::default();
        let restarts = (0..100)
            .filter(|round| {
                let found = finding(&round.to_string());
                let again = !mark.covers("e", &found);
                mark = mark.with("e", &BTreeSet::from([found]));
                again
            })
            .count();
        assert_eq!(restarts, MOST);
    }
}
