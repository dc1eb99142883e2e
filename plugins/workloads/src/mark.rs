//! The causes for which a workload was restarted: the value of an annotation on its pod template.

use std::collections::BTreeSet;
use std::fmt;

/// How many findings a mark contains. A workload that was restarted for more, with one expectation,
/// is not restarted again: this ends loops, such as two injectors that alternately set different
/// proxies.
const MOST: usize = 8;

/// A cause is an expectation together with a finding. The mark contains one expectation and all
/// findings: so a workload is restarted once for each cause, and again if a pod differs in another
/// way from the same expectation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    expected: Box<str>,
    found: BTreeSet<Box<str>>,
}

/// A short digest of a text: 16 hexadecimal digits.
pub fn digest(text: &str) -> String {
    short(text, 16)
}

fn short(text: &str, digits: usize) -> String {
    blake3::hash(text.as_bytes()).to_hex().chars().take(digits).collect()
}

/// The digest of a cause, as marks contain it.
pub(crate) fn finding(text: &str) -> Box<str> {
    short(text, 8).into()
}

impl Mark {
    /// Parses an annotation's value: `<expected>:<found>,<found>`. Any other value is a mark of
    /// another expectation.
    pub fn parse(text: &str) -> Self {
        let (expected, found) = text.split_once(':').unwrap_or((text, ""));
        let found = found.split(',').filter(|found| !found.is_empty()).map(Into::into).collect();
        Self { expected: expected.into(), found }
    }

    /// Whether a restart with this mark was for this cause.
    pub(crate) fn covers(&self, expected: &str, found: &str) -> bool {
        *self.expected == *expected && (self.found.contains(found) || self.found.len() >= MOST)
    }

    /// Adds these causes. Findings of another expectation are removed.
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
    fn a_mark_covers_only_its_own_causes() {
        let mark = Mark::default().with("e", &set(&["b", "a"]));
        assert_eq!(mark.to_string(), "e:a,b");
        assert_eq!(Mark::parse("e:a,b"), mark);
        assert!(mark.covers("e", "a") && mark.covers("e", "b"));
        assert!(!mark.covers("e", "c") && !mark.covers("f", "a"));
    }

    #[test]
    fn another_expectation_replaces_the_findings_and_the_same_adds_to_them() {
        let mark = Mark::parse("e:a");
        assert_eq!(mark.with("e", &set(&["c"])).to_string(), "e:a,c");
        assert_eq!(mark.with("f", &set(&["c"])).to_string(), "f:c");
    }

    #[test]
    fn an_annotation_written_by_hand_covers_nothing() {
        for text in ["", "now", ":", "2026-01-01T00:00:00Z"] {
            assert!(!Mark::parse(text).covers("e", "a"), "{text}");
        }
    }

    #[test]
    fn restarts_with_one_expectation_are_limited() {
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
