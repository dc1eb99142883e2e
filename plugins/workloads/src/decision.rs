//! What is to be done, and what is told of it.

use mizzen_sdk::k8s::Listed;
use mizzen_sdk::{Deletion, Outcome, Patch};

/// Names in a list for people; what there is beyond them is counted.
const NAMED: usize = 5;

/// What is to be done with workloads whose pods are not as they should be.
#[derive(Debug, Default)]
pub struct Decision {
    /// Those that are restarted now, wait for their turn, or are being restarted.
    pub restarting: Named,
    /// Those that will be restarted once nothing stands against it; each with what does.
    pub pending: Named,
    /// Those that only people can restart; each with the reason, where it is not plain.
    pub manual: Named,
    /// Those that are annotated to be left alone.
    pub excluded: Named,
    /// Those that were restarted, which did not help; each with what is still wrong.
    pub unhelped: Named,
    patches: Vec<Patch>,
    deletions: Vec<Deletion>,
}

/// Some workloads: the first few by name, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// How many there are.
    pub count: usize,
    /// The first five.
    pub names: Vec<String>,
}

impl Decision {
    /// Whether nothing was found, so that there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        [&self.restarting, &self.pending, &self.manual, &self.excluded, &self.unhelped].iter().all(|own| own.count == 0)
    }

    /// How much is asked for in this one answer.
    pub(crate) fn asked(&self) -> usize {
        self.patches.len() + self.deletions.len()
    }

    pub(crate) fn patch(&mut self, patch: Patch) {
        self.patches.push(patch);
    }

    pub(crate) fn delete(&mut self, deletion: Deletion) {
        self.deletions.push(deletion);
    }

    /// The outcome, with all that is to be done. The host tells of each patch and deletion, by an Event at the object, when it makes it.
    #[must_use]
    pub fn into_outcome(self, outcome: Outcome) -> Outcome {
        let outcome = self.patches.into_iter().fold(outcome, Outcome::patch);
        self.deletions.into_iter().fold(outcome, Outcome::delete)
    }
}

impl Named {
    /// Counts one more, and names it if it is among the first.
    pub(crate) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.names.len() < NAMED {
            self.names.push(name());
        }
    }

    /// `a, b and 3 more`.
    pub fn sentence(&self) -> String {
        Listed::of_total(&self.names, self.count).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_named_and_the_rest_counted() {
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
