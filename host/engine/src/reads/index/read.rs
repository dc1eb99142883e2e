//! One read, and whether a change affects it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use mizzen_cluster::ObjectWatch;
use mizzen_model::{Fields, Kind, Object, ObjectRef, Selector, Values};
use serde_json::Value;

/// One read, as far as it matters for requeueing its readers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Read {
    /// One object.
    Get { object: ObjectRef, fields: Fields },
    /// The selected objects.
    List { kind: Kind, namespace: Option<Arc<str>>, labels: Selector, values: Option<Values>, fields: Fields },
    /// Whether a kind is served.
    Serves(Kind),
    /// Which renderers are granted.
    Renderers(Selector),
    /// What a renderer returns for a document.
    Render(Arc<str>),
    /// An object whose values are sent with requests.
    Watched(Watched),
}

/// A change of an object, to be judged by many reads: what that needs is computed once.
pub(super) struct Seen<'a> {
    pub(super) before: Option<Sight<'a>>,
    pub(super) after: Option<Sight<'a>>,
    /// Whether the two sides differ in these fields.
    differs: RefCell<HashMap<&'a Fields, bool>>,
}

/// One side of a change.
pub(super) struct Sight<'a> {
    pub(super) object: &'a Object,
    value: OnceCell<Value>,
}

// === impl Read ===

impl Read {
    /// Whether this read would return something else after the change.
    pub(super) fn sees<'a>(&'a self, seen: &Seen<'a>) -> bool {
        let fields = match self {
            Self::Get { fields, .. } | Self::List { fields, .. } => fields,
            Self::Serves(_) | Self::Renderers(_) | Self::Render(_) | Self::Watched(_) => return false,
        };
        let [before, after] =
            [&seen.before, &seen.after].map(|side| side.as_ref().is_some_and(|side| self.selects(side)));
        if before && after { seen.differs_in(fields) } else { before || after }
    }

    fn selects(&self, changed: &Sight<'_>) -> bool {
        match self {
            Self::Get { object, .. } => changed.object.reference == *object,
            Self::List { labels, values, .. } => {
                labels.matches(&changed.object.labels)
                    && values.as_ref().is_none_or(|values| values.matches(changed.value()))
            }
            Self::Serves(_) | Self::Renderers(_) | Self::Render(_) | Self::Watched(_) => false,
        }
    }
}

// === impl Seen ===

impl<'a> Seen<'a> {
    pub(super) fn new(before: Option<&'a Object>, after: Option<&'a Object>) -> Self {
        let sight = |object| Sight { object, value: OnceCell::new() };
        Self { before: before.map(sight), after: after.map(sight), differs: RefCell::default() }
    }

    pub(super) fn sides(&self) -> impl Iterator<Item = &Sight<'a>> {
        self.before.iter().chain(&self.after)
    }

    fn differs_in(&self, fields: &'a Fields) -> bool {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return true };
        *self
            .differs
            .borrow_mut()
            .entry(fields)
            .or_insert_with(|| before.object.text(fields) != after.object.text(fields))
    }
}

// === impl Sight ===

impl Sight<'_> {
    pub(super) fn value(&self) -> &Value {
        self.value.get_or_init(|| self.object.value())
    }
}

/// An object that is watched while it has readers; equal by the object.
#[derive(Clone)]
pub(crate) struct Watched(pub(crate) Arc<dyn ObjectWatch>);

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.object().fmt(f)
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.0.object() == other.0.object()
    }
}

impl Eq for Watched {}

impl std::hash::Hash for Watched {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.object().hash(state);
    }
}
