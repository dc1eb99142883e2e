//! Reports each problem of the configuration once until it is fixed. The configuration is read
//! again at each change: at a start, once for every object.

use std::collections::BTreeSet;

/// The problems at the last reading.
#[derive(Default)]
pub(crate) struct Reported(BTreeSet<String>);

impl Reported {
    /// Returns the problems that were not there at the last reading. One that was fixed and is back
    /// counts as new.
    pub(crate) fn new_ones(&mut self, problems: impl IntoIterator<Item = String>) -> Vec<String> {
        let problems: BTreeSet<_> = problems.into_iter().collect();
        let new = problems.difference(&self.0).cloned().collect();
        self.0 = problems;
        new
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
}
