//! Reports each problem of the configuration once until it is fixed. The configuration is read
//! again at each change: at a start, once for every object.

use std::collections::BTreeSet;

/// The problems at the last reading.
#[derive(Default)]
pub(crate) struct Reported {
    problems: BTreeSet<String>,
    /// Why the configuration could not be read as a whole.
    unreadable: Option<String>,
}

impl Reported {
    /// Returns the problems that were not there at the last reading. One that was fixed and is back
    /// counts as new.
    pub(crate) fn new_ones(&mut self, problems: impl IntoIterator<Item = String>) -> Vec<String> {
        let problems: BTreeSet<_> = problems.into_iter().collect();
        let new = problems.difference(&self.problems).cloned().collect();
        self.problems = problems;
        self.unreadable = None;
        new
    }

    /// Returns whether this error of the whole configuration differs from that of the last reading.
    pub(crate) fn is_new_error(&mut self, error: &str) -> bool {
        self.unreadable.replace(error.to_owned()).as_deref() != Some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_reported_once_until_it_is_fixed_and_returns() {
        let mut reported = Reported::default();
        let mut new = |problems: &[&str]| reported.new_ones(problems.iter().map(ToString::to_string));
        assert_eq!(new(&["a", "b"]), ["a", "b"]);
        assert_eq!(new(&["b", "c"]), ["c"]);
        assert_eq!(new(&["a", "b"]), ["a"]);
    }

    #[test]
    fn an_error_of_the_whole_configuration_is_reported_once_while_it_stays_the_same() {
        let mut reported = Reported::default();
        assert_eq!(reported.new_ones(["a".to_owned()]), ["a"]);
        assert_eq!(["e", "e", "f", "f"].map(|error| reported.is_new_error(error)), [true, false, true, false]);
        assert!(reported.new_ones(["a".to_owned()]).is_empty(), "the last valid one kept running");
        assert!(reported.is_new_error("f"), "it was fixed in between");
    }
}
