//! What a reconcile would write, found out without writing: mode `Plan`.

use std::collections::HashSet;

use mizzen_cluster::{ReadError, Scope, WriteError};

use super::{Writer, drift};
use crate::memo::View;
use crate::names::is_never_pruned;
use crate::observe::{Intent, Verb};
use crate::prepare::Prepared;

impl Writer<'_> {
    /// What [`Writer::converge`] would do now, as far as the host's views tell: an object that somebody else made counts as one to be
    /// created, since the host sees those of reconcilers alone.
    pub(crate) fn foresee(&self, prepared: &Prepared, view: View) -> Result<Vec<Intent>, WriteError> {
        let mut intents = Vec::new();
        if let Some(desired) = &prepared.desired {
            for item in &desired.objects {
                let live = match self.cluster.get(Scope::Owned, &item.reference) {
                    Ok(live) => live,
                    Err(ReadError::NotServed(_)) => None,
                    Err(error) => {
                        let object = item.reference.to_string();
                        return Err(WriteError::Unavailable { object, message: error.to_string() });
                    }
                };
                match live {
                    None => intents.push(Intent { verb: Verb::Create, object: item.reference.clone() }),
                    Some(live) if self.holds(item, &live).is_some() => {}
                    Some(_) => intents.push(Intent { verb: Verb::Change, object: item.reference.clone() }),
                }
            }
            if desired.complete && view == View::Complete {
                let keep: HashSet<_> = desired.objects.iter().map(|item| &item.reference).collect();
                intents.extend(self.foresee_release()?.into_iter().filter(|intent| !keep.contains(&intent.object)));
            }
        }
        for (patch, _) in &prepared.patches {
            let live = self.cluster.get(Scope::All, &patch.object).ok().flatten();
            if !live.is_some_and(|live| drift::holds(&live.value(), &patch.fragment)) {
                intents.push(Intent { verb: Verb::Change, object: patch.object.clone() });
            }
        }
        for deletion in &prepared.deletions {
            // Where it can't be looked up, it may be there.
            if !matches!(self.cluster.get(Scope::All, &deletion.object), Ok(None)) {
                intents.push(Intent { verb: Verb::Delete, object: deletion.object.clone() });
            }
        }
        Ok(intents)
    }

    /// What [`Writer::release`] would delete now.
    pub(crate) fn foresee_release(&self) -> Result<Vec<Intent>, WriteError> {
        let going = self.owned()?.into_iter().filter(|object| !object.deleting && !is_never_pruned(object));
        Ok(going.map(|object| Intent { verb: Verb::Delete, object: object.reference.clone() }).collect())
    }
}
