//! What is valid in a configuration and grants more than it seems to.

use mizzen_model::Fields;

use crate::problem::Problem;
use crate::reconciler::{Grant, Reconciler};

impl Reconciler {
    /// Returns what grants more than it seems to, each with its field.
    pub fn warnings(&self) -> Vec<Problem> {
        let patches = self.grants.patch.iter().enumerate();
        patches
            .filter(|(_, grant)| grant.fields == Fields::Whole)
            .map(|(at, grant)| self.wide_patch(at, grant))
            .collect()
    }

    fn wide_patch(&self, at: usize, grant: &Grant) -> Problem {
        let message = format!(
            "the plugin may set any field of {}: name those that it sets in `fields`, e.g. \
             `fields: [\"metadata.annotations['example.com/note']\"]`",
            grant.kind
        );
        self.problem(&format!("spec.grants.patch[{at}]"), message)
    }
}
