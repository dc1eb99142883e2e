//! The decision about workloads with outdated pods, and how it is reported.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{Deletion, Outcome, Patch};

/// How many workloads a list names; the others are counted.
const NAMED: usize = 5;

/// What to do with workloads whose pods are outdated.
#[derive(Debug, Default)]
pub struct Decision {
    /// Restarted now, waiting for a pace, or being restarted.
    pub restarting: Named,
    /// Not restarted yet; each with the reason.
    pub pending: Named,
    /// To be restarted by hand; each with the reason if it is not obvious.
    pub manual: Named,
    /// Excluded by an annotation.
    pub excluded: Named,
    /// Restarted without effect; each with what is still wrong.
    pub unhelped: Named,
    patches: Vec<Patch>,
    deletions: Vec<Deletion>,
}

/// The first names of a list of workloads, and their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The number of workloads.
    pub count: usize,
    /// The first five.
    pub names: Vec<String>,
}

impl Decision {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        [&self.restarting, &self.pending, &self.manual, &self.excluded, &self.unhelped].iter().all(|own| own.count == 0)
    }

    /// The number of changes in this outcome.
    pub(crate) fn changes(&self) -> usize {
        self.patches.len() + self.deletions.len()
    }

    pub(crate) fn patch(&mut self, patch: Patch) {
        self.patches.push(patch);
    }

    pub(crate) fn delete(&mut self, deletion: Deletion) {
        self.deletions.push(deletion);
    }

    /// Adds the patches and deletions to an outcome. The host reports each by an Event about the
    /// object.
    #[must_use]
    pub fn into_outcome(self, outcome: Outcome) -> Outcome {
        let outcome = self.patches.into_iter().fold(outcome, Outcome::patch);
        self.deletions.into_iter().fold(outcome, Outcome::delete)
    }
}

impl Named {
    /// Counts a workload, and names it if it is among the first.
    pub(crate) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.names.len() < NAMED {
            self.names.push(name());
        }
    }

    /// The list as text: `a, b and 3 more`.
    pub fn sentence(&self) -> String {
        Listed::of_total(&self.names, self.count).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_named_and_the_others_counted() {
        let mut named = Named::default();
        for at in 0..5 {
            named.add(|| format!("w{at}"));
        }
        assert_eq!(named.sentence(), "w0, w1, w2, w3, w4");
        named.add(|| "w5".into());
        named.add(|| "w6".into());
        assert_eq!((named.sentence().as_str(), named.count), ("w0, w1, w2, w3, w4 and 2 more", 7));
    }
}
