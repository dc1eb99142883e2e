//! What a reconcile would write, without writing: mode `Plan`.

use std::collections::HashSet;

use mizzen_cluster::{Ownership, Scope, WriteError};

use super::drift;
use super::existing::Existing;
use super::intents::Plan;
use super::writer::Writer;
use crate::identity::Identity;
use crate::memo::View;
use crate::observe::Verb;
use crate::prepare::{Item, Prepared};

impl Writer {
    /// What [`Writer::converge`] would do.
    pub(crate) async fn plan(&self, prepared: &Prepared, view: View) -> Plan {
        let mut plan = Plan::default();
        if let Some(desired) = &prepared.desired {
            for item in &desired.objects {
                match self.plan_item(item).await {
                    Ok(verb) => plan.add(verb, &item.reference),
                    Err(error) => plan.errors.push(error),
                }
            }
            if desired.complete && plan.errors.is_empty() && view == View::Complete {
                self.plan_prune(&desired.identities(), &mut plan).await;
            }
        }
        self.plan_disruptions(prepared, &mut plan);
        plan
    }

    /// What [`Writer::clean_up`] would delete.
    pub(crate) async fn plan_cleanup(&self) -> Plan {
        let mut plan = Plan::default();
        self.plan_prune(&HashSet::new(), &mut plan).await;
        plan
    }

    /// What an apply of a desired object would do; `None`: nothing.
    async fn plan_item(&self, item: &Item) -> Result<Option<Verb>, WriteError> {
        let owned = self.live(Scope::Owned, &item.reference)?;
        if owned.as_ref().is_some_and(|live| self.matches(item, live).is_some()) {
            return Ok(None);
        }
        Ok(Some(match self.existing(item, owned).await? {
            Existing::Absent => Verb::Create,
            Existing::Foreign(_) => Verb::Adopt,
            Existing::Owned(..) | Existing::Inherited(..) => Verb::Change,
        }))
    }

    async fn plan_prune(&self, keep: &HashSet<Identity<'_>>, plan: &mut Plan) {
        match self.prunable(keep).await {
            Ok(objects) => {
                for owned in objects {
                    // An adopted object is released, which changes its metadata.
                    let verb = if owned.ownership == Ownership::Adopted { Verb::Change } else { Verb::Delete };
                    plan.add(Some(verb), &owned.object.reference);
                }
            }
            Err(error) => plan.errors.push(error),
        }
    }

    fn plan_disruptions(&self, prepared: &Prepared, plan: &mut Plan) {
        for patch in &prepared.patches {
            let object = &patch.patch.object;
            let live = self.cluster().get(Scope::All, object).ok().flatten();
            if !live.is_some_and(|live| drift::holds(&live.value(), &patch.patch.fragment)) {
                plan.add(Some(Verb::Change), object);
            }
        }
        for deletion in &prepared.deletions {
            // An object that can't be looked up may exist.
            if !matches!(self.cluster().get(Scope::All, &deletion.object), Ok(None)) {
                plan.add(Some(Verb::Delete), &deletion.object);
            }
        }
    }
}
