//! What reconcilers would do: collected while they are rehearsed, merged object by object, shown.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use mizzen_engine::observe::{Observer, Reconciled, Verb, Written};
use mizzen_model::{Object, ObjectRef};
use serde::Serialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::style::{ADDED, CHANGED, FAINT, HEADING, REMOVED, WRONG};

/// Everything that a set of reconcilers would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Intents {
    /// By reconciler, then by object.
    pub(crate) changes: Vec<Intent>,
    /// What went wrong, by reconciler and subject.
    pub(crate) problems: Vec<Trouble>,
    /// Reconcilers that work in steps and wait here, where nothing comes true, for the one before: more will follow.
    pub(crate) unfinished: Vec<Trouble>,
}

/// What would be done to one object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Intent {
    pub(crate) reconciler: String,
    pub(crate) subject: Name,
    pub(crate) verb: String,
    pub(crate) object: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
}

/// A reconcile that did not end well.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Trouble {
    pub(crate) reconciler: String,
    pub(crate) subject: String,
    pub(crate) reason: String,
    pub(crate) message: String,
}

/// An object's name, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as Kubernetes calls them")]
pub(crate) struct Name {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

type Writes = BTreeMap<(String, ObjectRef, bool), (ObjectRef, Option<Value>, Option<Value>)>;

/// What is to be said of a reconcile that is not simply done.
struct Word {
    trouble: Trouble,
    /// Whether nothing is wrong, and only more will follow.
    unfinished: bool,
}

/// Listens to a rehearsal.
#[derive(Default)]
pub(crate) struct Collector {
    /// First and last state of each object, by reconciler, object and whether it is its status.
    writes: Mutex<Writes>,
    /// The last word on each (reconciler, subject).
    last: Mutex<BTreeMap<(String, String), Option<Word>>>,
}

impl Observer for Collector {
    fn wrote(&self, write: &Written<'_>) {
        if write.verb == Verb::Finalizer {
            return;
        }
        let is_status = write.verb == Verb::Status;
        let show = |object: &Object| presentable(object.value(), is_status);
        let (before, after) = (write.before.as_deref().map(show), write.after.as_deref().map(show));
        let key = (write.reconciler.to_owned(), write.object.clone(), is_status);
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.entry(key).and_modify(|(_, _, last)| last.clone_from(&after)).or_insert((
            write.subject.clone(),
            before,
            after,
        ));
    }

    fn reconciled(&self, done: &Reconciled<'_>) {
        let (reconciler, subject) = (done.reconciler.to_owned(), done.subject.to_string());
        let wrong = done.failed || done.reason == "Failed";
        let trouble = (wrong || done.so_far).then(|| {
            let (reason, message) = (done.reason.to_owned(), done.message.to_owned());
            let trouble = Trouble { reconciler: reconciler.clone(), subject: subject.clone(), reason, message };
            Word { trouble, unfinished: !wrong }
        });
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert((reconciler, subject), trouble);
    }
}

impl Collector {
    /// What was heard. Objects that end as they began are left out, statuses unless asked for.
    pub(crate) fn intents(&self, statuses: bool) -> Intents {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let differing =
            writes.iter().filter(|((_, _, is_status), (_, before, after))| before != after && (statuses || !is_status));
        let changes = differing.map(|((reconciler, object, is_status), (subject, before, after))| Intent {
            reconciler: reconciler.clone(),
            subject: Name::of(subject),
            verb: match (before, after) {
                _ if *is_status => "status".into(),
                (None, _) => "create".into(),
                (_, None) => "delete".into(),
                _ => "change".into(),
            },
            object: Name::of(object),
            before: before.clone(),
            after: after.clone(),
        });
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |unfinished: bool| {
            let told = last.values().flatten().filter(|word| word.unfinished == unfinished);
            told.map(|word| word.trouble.clone()).collect()
        };
        Intents { changes: changes.collect(), problems: of(false), unfinished: of(true) }
    }
}

impl Intents {
    /// What is here and was not there before, and what was there and is here no longer.
    pub(crate) fn since(&self, before: &Self) -> (Self, Vec<Intent>) {
        let fresh = |intent: &&Intent| !before.changes.contains(intent);
        let news = |trouble: &&Trouble| !before.problems.contains(trouble);
        let gone = before.changes.iter().filter(|old| !self.changes.iter().any(|new| new.is_about_the_same_as(old)));
        let fresh = Self {
            changes: self.changes.iter().filter(fresh).cloned().collect(),
            problems: self.problems.iter().filter(news).cloned().collect(),
            unfinished: self.unfinished.iter().filter(|own| !before.unfinished.contains(own)).cloned().collect(),
        };
        (fresh, gone.cloned().collect())
    }

    /// One line for each object, and under it, if asked for, what would be different.
    pub(crate) fn show(&self, out: &mut impl Write, diffs: bool) -> std::io::Result<()> {
        let mut reconciler = "";
        for intent in &self.changes {
            if intent.reconciler != reconciler {
                reconciler = &intent.reconciler;
                writeln!(out, "{HEADING}{reconciler}{HEADING:#}")?;
            }
            intent.show(out, diffs)?;
        }
        for Trouble { reconciler, subject, reason, message } in &self.problems {
            writeln!(out, "{WRONG}{reconciler}: {subject}: {reason}{WRONG:#}: {message}")?;
        }
        for Trouble { reconciler, subject, message, .. } in &self.unfinished {
            writeln!(out, "{FAINT}{reconciler}: {subject}: more will follow{FAINT:#}: {message}")?;
        }
        let count = |verb: &str| self.changes.iter().filter(|intent| intent.verb == verb).count();
        let (create, change, delete) = (count("create"), count("change"), count("delete"));
        writeln!(out, "{HEADING}{create} to create, {change} to change, {delete} to delete{HEADING:#}")
    }
}

impl Intent {
    fn is_about_the_same_as(&self, other: &Self) -> bool {
        (&self.reconciler, &self.object, self.verb == "status")
            == (&other.reconciler, &other.object, other.verb == "status")
    }

    /// Kind and name of the object, and whether it is about its status.
    pub(crate) fn headline(&self) -> String {
        let Name { kind, namespace, name, .. } = &self.object;
        let path = namespace.as_ref().map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
        format!("{kind} {path}{}", if self.verb == "status" { " status" } else { "" })
    }

    fn show(&self, out: &mut impl Write, diff: bool) -> std::io::Result<()> {
        let (style, sign) = match &*self.verb {
            "create" => (ADDED, '+'),
            "delete" => (REMOVED, '-'),
            _ => (CHANGED, '~'),
        };
        let subject = &self.subject;
        writeln!(
            out,
            "  {style}{sign} {}{style:#} {FAINT}for {} {}{FAINT:#}",
            self.headline(),
            subject.kind,
            subject.name
        )?;
        if diff {
            let text = |value: &Option<Value>| value.as_ref().map(yaml).unwrap_or_default();
            let (before, after) = (text(&self.before), text(&self.after));
            let difference = TextDiff::from_lines(&before, &after);
            for change in difference.grouped_ops(3).iter().flatten().flat_map(|op| difference.iter_changes(op)) {
                let line = change.value().trim_end_matches('\n');
                match change.tag() {
                    ChangeTag::Insert => writeln!(out, "    {ADDED}+ {line}{ADDED:#}")?,
                    ChangeTag::Delete => writeln!(out, "    {REMOVED}- {line}{REMOVED:#}")?,
                    ChangeTag::Equal => writeln!(out, "      {line}")?,
                }
            }
        }
        Ok(())
    }
}

impl Name {
    fn of(object: &ObjectRef) -> Self {
        Self {
            api_version: object.kind.api_version.to_string(),
            kind: object.kind.name.to_string(),
            namespace: object.namespace.as_deref().map(str::to_owned),
            name: object.name.to_string(),
        }
    }
}

/// YAML of a JSON value; JSON, which is YAML too, should that ever fail.
pub(crate) fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}"))
}

/// Leaves out what only the API server knows, and what would make two runs differ.
fn presentable(mut object: Value, status: bool) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for servers in ["uid", "generation", "creationTimestamp", "selfLink"] {
            metadata.remove(servers);
        }
        if let Some(owners) = metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) {
            owners.iter_mut().filter_map(Value::as_object_mut).for_each(|owner| drop(owner.remove("uid")));
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(mizzen_engine::APPLIED_ANNOTATION);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    if let Some(map) = object.as_object_mut() {
        if status {
            map.remove("spec");
            map.remove("metadata");
        } else {
            map.remove("status");
        }
    }
    let conditions = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.remove("lastTransitionTime");
    }
    object
}
