//! Every label, annotation, finalizer, field manager and condition type that the host writes, on one page.
//!
//! | what | where | value |
//! |---|---|---|
//! | label `mizzen.dev/reconciler` | applied objects | the reconciler's name |
//! | label `mizzen.dev/owner` | applied objects | [`owner_label`]: reconciler and subject |
//! | annotation [`mizzen.dev/applied`](mizzen_cluster::APPLIED_ANNOTATION) | applied objects | mark and digest |
//! | annotation [`mizzen.dev/adopted`](ADOPTED_ANNOTATION) | adopted objects | `true` |
//! | annotation [`mizzen.dev/adopt`](ADOPT_ANNOTATION) | others' objects | a reconciler's name, set by their owners |
//! | annotation [`mizzen.dev/prune`](PRUNE_ANNOTATION) | applied objects | `never`, set by plugins |
//! | label [`mizzen.dev/credential-for`](CREDENTIAL_LABEL) | Secrets | the reconciler's name, set by their owners |
//! | annotation [`mizzen.dev/pace-<reconciler>`](pace_annotation) | patched objects | pace and start time |
//! | finalizer [`mizzen.dev/<reconciler>`](finalizer) | subjects | |
//! | field manager [`mizzen.dev/<reconciler>`](field_manager) | applied objects, statuses | |
//! | field manager [`mizzen.dev/<reconciler>-<owner label>`](patch_manager) | patched objects | |
//! | field manager [`mizzen.dev/<reconciler>-failure`](failure_manager) | failures before an outcome | |
//! | condition type [`mizzen.dev/<reconciler>`](field_manager) | subjects | |
//! | event reporter [`mizzen.dev/host`](HOST) | Events of the host itself | |

use std::sync::Arc;

use jiff::Timestamp;
use mizzen_model::{Digest, Object, ObjectRef};

/// Annotation by which the owner of an object lets a reconciler adopt it; its value is the reconciler's name.
pub const ADOPT_ANNOTATION: &str = "mizzen.dev/adopt";

/// Annotation of an adopted object, for people: what counts is its mark.
pub const ADOPTED_ANNOTATION: &str = "mizzen.dev/adopted";

/// Annotation by which a plugin excludes an object from pruning; `never` is its only value.
pub const PRUNE_ANNOTATION: &str = "mizzen.dev/prune";

/// Label by which a Secret consents to be sent by a reconciler whose subjects' authors choose its name.
pub(crate) const CREDENTIAL_LABEL: &str = "mizzen.dev/credential-for";

/// The value of [`PRUNE_ANNOTATION`] that excludes an object from pruning.
pub(crate) const NEVER: &str = "never";

/// The reporter of Events that are the host's own and no reconciler's.
pub(crate) const HOST: &str = "mizzen.dev/host";

/// Begins every finalizer and field manager of the host.
const PREFIX: &str = "mizzen.dev/";

/// The field manager of everything a reconciler applies, and the type of its condition.
pub(crate) fn field_manager(reconciler: &str) -> String {
    format!("{PREFIX}{reconciler}")
}

/// The field manager of what a reconciler patches for one subject. A patch has no
/// [owner label](mizzen_cluster::OWNER_LABEL) to tell subjects apart: two subjects that patch one object keep
/// their own fields, and different values of one field are a conflict.
pub(crate) fn patch_manager(reconciler: &str, subject: &ObjectRef) -> String {
    format!("{PREFIX}{reconciler}-{}", owner_label(reconciler, subject))
}

/// The field manager of the condition of a reconciler that failed before it had an outcome. Under
/// [`field_manager`] it would give up the status fields that it wrote earlier.
pub(crate) fn failure_manager(reconciler: &str) -> String {
    format!("{PREFIX}{reconciler}-failure")
}

/// The value of [`OWNER_LABEL`](mizzen_cluster::OWNER_LABEL) on what a reconciler applies for a subject. The
/// subject's uid and version are no part of it, so that a subject restored from a backup finds its objects again.
pub(crate) fn owner_label(reconciler: &str, subject: &ObjectRef) -> String {
    let parts = [reconciler, subject.kind.group(), &subject.kind.name, &subject.path()];
    Digest::of_parts(parts.map(str::as_bytes)).short()
}

/// Whether only the host may set a label or annotation: a plugin's own belong under a domain of its own, such as
/// `<plugin>.mizzen.dev`.
pub(crate) fn is_reserved(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Whether the owner of an object lets a reconciler adopt it.
pub(crate) fn offers_adoption(object: &Object, reconciler: &str) -> bool {
    // Most objects have no such annotation, and searching text is cheaper than parsing it.
    object.json().contains(ADOPT_ANNOTATION)
        && object.value()["metadata"]["annotations"][ADOPT_ANNOTATION] == reconciler
}

/// The finalizer of a reconciler.
pub(crate) fn finalizer(reconciler: &str) -> String {
    format!("{PREFIX}{reconciler}")
}

/// Whether a subject carries the finalizer of a reconciler.
pub(crate) fn has_finalizer(subject: &Object, reconciler: &str) -> bool {
    finalizing_reconcilers(subject).iter().any(|own| own == reconciler)
}

/// Whether a subject's status has the condition of a reconciler.
pub(crate) fn has_condition(subject: &Object, reconciler: &str) -> bool {
    let kind = field_manager(reconciler);
    // Most objects have none, and searching text is cheaper than parsing it.
    subject.json().contains(&kind)
        && subject.value()["status"]["conditions"]
            .as_array()
            .is_some_and(|conditions| conditions.iter().any(|own| own["type"] == *kind))
}

/// The reconcilers whose finalizers an object carries.
pub(crate) fn finalizing_reconcilers(object: &Object) -> Vec<String> {
    // Most objects have none, and searching text is cheaper than parsing it.
    if !object.json().contains(PREFIX) {
        return Vec::new();
    }
    let value = object.value();
    let finalizers = value["metadata"]["finalizers"].as_array().into_iter().flatten();
    finalizers.filter_map(|own| own.as_str()?.strip_prefix(PREFIX).map(str::to_owned)).collect()
}

/// The annotation on an object that was patched under a pace.
pub(crate) fn pace_annotation(reconciler: &str) -> String {
    format!("{PREFIX}pace-{reconciler}")
}

/// The value of [`pace_annotation`]: the pace and when the patch was written.
pub(crate) fn pace_mark(pace: &str, started: Timestamp) -> String {
    format!("{pace} {started:.0}")
}

/// The pace and the time in an object's [`pace_annotation`].
pub(crate) fn pace_of(object: &Object, annotation: &str) -> Option<(Arc<str>, Timestamp)> {
    // Most objects have no such annotation, and searching text is cheaper than parsing it.
    if !object.json().contains(annotation) {
        return None;
    }
    let value = object.value();
    let (pace, started) = value["metadata"]["annotations"][annotation].as_str()?.split_once(' ')?;
    Some((pace.into(), started.parse().ok()?))
}
