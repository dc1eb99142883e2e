//! Collects what reconcilers do during a rehearsal, and merges the writes to each object into one
//! intent.

use std::collections::BTreeMap;

use mizzen_engine::observe::{self, Observer, Reconciled, Written};
use mizzen_model::{Object, ObjectRef};
use parking_lot::Mutex;
use serde_json::Value;

use crate::intents::{Intent, Intents, Name, Statuses, Trouble, Verb};

/// Observes a rehearsal.
#[derive(Default)]
pub(crate) struct Collector {
    writes: Mutex<BTreeMap<Target, Change>>,
    /// How the last reconcile of each (reconciler, subject) ended; `None`: well.
    last: Mutex<BTreeMap<(String, String), Option<Ending>>>,
}

/// What a reconciler wrote to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    reconciler: String,
    object: ObjectRef,
    part: Part,
}

/// Which part of an object was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Object,
    Status,
}

/// The first and the last state of what was written.
struct Change {
    subject: ObjectRef,
    /// Whether the object was another party's, and was adopted.
    adopted: bool,
    before: Option<Value>,
    after: Option<Value>,
}

/// How a reconcile ended that did not simply succeed.
enum Ending {
    Failed(Trouble),
    /// It succeeded, and more steps follow.
    Unfinished(Trouble),
}

// === impl Collector ===

impl Observer for Collector {
    fn wrote(&self, write: &Written<'_>) {
        let part = match write.verb {
            observe::Verb::Finalizer => return,
            observe::Verb::Status => Part::Status,
            observe::Verb::Create | observe::Verb::Adopt | observe::Verb::Change | observe::Verb::Delete => {
                Part::Object
            }
        };
        let state = |object: &Object| presentable(object.value(), part);
        let (before, after) = (write.before.as_deref().map(state), write.after.as_deref().map(state));
        let target = Target { reconciler: write.reconciler.to_owned(), object: write.object.clone(), part };
        let mut writes = self.writes.lock();
        writes.entry(target).and_modify(|change| change.after.clone_from(&after)).or_insert_with(|| Change {
            subject: write.subject.clone(),
            adopted: write.verb == observe::Verb::Adopt,
            before,
            after,
        });
    }

    fn reconciled(&self, done: &Reconciled<'_>) {
        let (reconciler, subject) = (done.reconciler.to_owned(), done.subject.to_string());
        let (reason, message) = (done.reason.to_owned(), done.message.to_owned());
        let trouble = Trouble { reconciler: reconciler.clone(), subject: subject.clone(), reason, message };
        let ending = if done.failed || done.reason == "Failed" {
            Some(Ending::Failed(trouble))
        } else {
            done.partial.then_some(Ending::Unfinished(trouble))
        };
        self.last.lock().insert((reconciler, subject), ending);
    }
}

impl Collector {
    /// Everything collected so far. Objects that end as they began are left out.
    pub(crate) fn intents(&self, statuses: Statuses) -> Intents {
        let writes = self.writes.lock();
        let shown = |part: Part| part == Part::Object || statuses == Statuses::Shown;
        let changed = writes.iter().filter(|(target, change)| shown(target.part) && change.before != change.after);
        let mut intents =
            Intents { changes: changed.map(|(target, change)| intent(target, change)).collect(), ..Intents::default() };
        for ending in self.last.lock().values().flatten() {
            match ending {
                Ending::Failed(trouble) => intents.problems.push(trouble.clone()),
                Ending::Unfinished(trouble) => intents.unfinished.push(trouble.clone()),
            }
        }
        intents
    }
}

fn intent(target: &Target, change: &Change) -> Intent {
    let verb = match (target.part, &change.before, &change.after) {
        (Part::Status, ..) => Verb::Status,
        (Part::Object, None, _) => Verb::Create,
        (Part::Object, _, None) => Verb::Delete,
        (Part::Object, ..) if change.adopted => Verb::Adopt,
        (Part::Object, ..) => Verb::Change,
    };
    Intent {
        reconciler: target.reconciler.clone(),
        subject: Name::from(&change.subject),
        verb,
        object: Name::from(&target.object),
        before: change.before.clone(),
        after: change.after.clone(),
    }
}

/// Leaves out what only an API server sets, and what would make two runs differ.
fn presentable(mut object: Value, part: Part) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "generation", "creationTimestamp", "selfLink"] {
            metadata.remove(field);
        }
        if let Some(owners) = metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) {
            owners.iter_mut().filter_map(Value::as_object_mut).for_each(|owner| drop(owner.remove("uid")));
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(mizzen_cluster::APPLIED_ANNOTATION);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    if let Some(map) = object.as_object_mut() {
        let others: &[&str] = match part {
            Part::Object => &["status"],
            Part::Status => &["spec", "metadata"],
        };
        for field in others {
            map.remove(*field);
        }
    }
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.remove("lastTransitionTime");
    }
    object
}
