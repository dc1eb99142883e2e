//! Decides about each workload with outdated pods: restart it, wait, or report why not.

use std::collections::BTreeMap;

use mizzen_sdk::{AccessError, Deletion, Kind, ObjectRef, Patch, Query, cluster};
use serde_json::json;

use crate::budgets::Budgets;
use crate::decision::Decision;
use crate::owners::{controller, lift};
use crate::pods::{Finding, Found, Pod};
use crate::read::TEMPLATED;
use crate::state::{Progress, State};
use crate::workload::{Controller, Workload};

/// The most changes in one outcome: a host limits its size, and the others follow in later calls.
const AT_ONCE: usize = 1_000;

/// Restarts of workloads with outdated pods.
#[derive(Debug)]
pub struct Restarts<'a> {
    annotation: &'a str,
    expected: &'a str,
    pace: &'a str,
    found: BTreeMap<Workload, Found>,
}

impl<'a> Restarts<'a> {
    /// Restarts that are marked by `annotation` with the digest `expected` of the desired pods, at
    /// this `pace`.
    pub fn new(annotation: &'a str, expected: &'a str, pace: &'a str) -> Self {
        Self { annotation, expected, pace, found: BTreeMap::new() }
    }

    /// Adds an outdated pod. Only what matters for its owner is kept.
    pub fn add(&mut self, pod: Pod, finding: &Finding<'_>) {
        let Pod { namespace, name, uid, owners } = pod;
        let owner = controller(&namespace, owners).unwrap_or_else(|| Workload {
            namespace,
            controller: Controller::Pod,
            name: name.clone(),
        });
        self.found.entry(owner).or_default().add(self.expected, (&name, &uid), finding);
    }

    /// The number of owners of such pods.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether no pod is outdated.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Decides. Reads nothing if there are no outdated pods.
    ///
    /// # Errors
    /// When workloads or budgets can't be read.
    pub fn decide(mut self) -> Result<Decision, AccessError> {
        let mut decision = Decision::default();
        if self.found.is_empty() {
            return Ok(decision);
        }
        let found = lift(std::mem::take(&mut self.found))?;
        let mut budgets = None;
        for (controller, fields, _) in TEMPLATED {
            if !found.keys().any(|workload| workload.controller == controller) {
                continue;
            }
            // Each is decided as it is read, so that thousands of states need not be in memory at
            // once.
            for state in cluster::scan::<State>(&Query::of(controller.kind()).fields(fields))? {
                let state = state?;
                let (namespace, name) = (state.metadata.namespace.clone(), state.metadata.name.clone());
                let workload = Workload { namespace, controller: controller.clone(), name };
                if let Some(found) = found.get(&workload) {
                    self.templated(&workload, found, &state, &mut budgets, &mut decision)?;
                }
            }
        }
        // A workload that was not among those is deleted already, and its pods are being deleted.
        let is_templated = |workload: &Workload| TEMPLATED.iter().any(|(own, ..)| *own == workload.controller);
        for (workload, found) in found.iter().filter(|(workload, _)| !is_templated(workload)) {
            untouched(workload, found, &mut decision);
        }
        Ok(decision)
    }

    /// A workload with a pod template.
    fn templated(
        &self,
        workload: &Workload,
        found: &Found,
        state: &State,
        budgets: &mut Option<Budgets>,
        decision: &mut Decision,
    ) -> Result<(), AccessError> {
        if found.excluded || state.excluded() {
            decision.excluded.add(|| workload.to_string());
            return Ok(());
        }
        if found.stale.is_empty() {
            decision.unhelped.add(|| format!("{workload} ({})", found.what));
            return Ok(());
        }
        let progress = state.progress();
        let mark = state.mark(self.annotation);
        let marked = found.stale.iter().all(|own| mark.covers(self.expected, own));
        let rolls = !matches!(workload.controller, Controller::ReplicaSet | Controller::ReplicationController);
        match progress {
            Progress::OnDelete => decision.manual.add(|| format!("{workload} ({progress})")),
            // The rollout that replaces these pods has begun, or is about to.
            Progress::Steady | Progress::Rolling | Progress::Unavailable(_) if rolls && marked => {
                decision.restarting.add(|| workload.to_string());
            }
            // It has no rollout: its controller has not seen the mark yet.
            Progress::Rolling if marked => decision.restarting.add(|| workload.to_string()),
            Progress::Steady => match against(workload, found, state, budgets)? {
                Some(why) => decision.pending.add(|| format!("{workload} ({why})")),
                None if marked => self.delete_first(workload, found, decision),
                None => self.mark(workload, found, state, decision),
            },
            other => decision.pending.add(|| format!("{workload} ({other})")),
        }
        Ok(())
    }

    /// Marks the template, which restarts the pods of a workload that rolls out the change.
    fn mark(&self, workload: &Workload, found: &Found, state: &State, decision: &mut Decision) {
        decision.restarting.add(|| workload.to_string());
        if decision.changes() >= AT_ONCE {
            return;
        }
        let mark = state.mark(self.annotation).with(self.expected, &found.stale).to_string();
        let fragment = json!({"spec": {"template": {"metadata": {"annotations": {self.annotation: mark}}}}});
        let patch = Patch::new(workload.reference(), fragment, format!("restarted: {}", found.what));
        // A template that is not rolled out disrupts nothing: only the deletions are paced.
        let rolls = !matches!(workload.controller, Controller::ReplicaSet | Controller::ReplicationController);
        decision.patch(if rolls { patch.paced_by(self.pace) } else { patch });
    }

    /// Deletes one old pod of a marked workload that does not roll out the change itself.
    fn delete_first(&self, workload: &Workload, found: &Found, decision: &mut Decision) {
        decision.restarting.add(|| workload.to_string());
        if decision.changes() >= AT_ONCE {
            return;
        }
        if let Some((name, uid)) = &found.first {
            let pod = ObjectRef::new(Kind::new("v1", "Pod"), Some(&workload.namespace), name);
            let reason = format!("{workload} is restarted: {}", found.what);
            decision.delete(Deletion::new(pod, uid, reason).paced_by(self.pace));
        }
    }
}

/// What else prevents a restart now.
fn against(
    workload: &Workload,
    found: &Found,
    state: &State,
    budgets: &mut Option<Budgets>,
) -> Result<Option<String>, AccessError> {
    if found.first.is_none() {
        return Ok(Some("none of its pods is ready".into()));
    }
    let budgets = match budgets {
        Some(budgets) => budgets,
        None => budgets.insert(Budgets::read()?),
    };
    let budget = budgets.against(&workload.namespace, state.labels());
    Ok(budget.map(|name| format!("PodDisruptionBudget {name} allows no disruption now")))
}

/// A workload that can't be restarted by this code.
fn untouched(workload: &Workload, found: &Found, decision: &mut Decision) {
    if found.excluded {
        decision.excluded.add(|| workload.to_string());
    } else {
        decision.manual.add(|| workload.to_string());
    }
}
