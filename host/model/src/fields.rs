//! Field sets: which fields of an object a projection keeps.

mod path;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use self::path::Step;
pub use self::path::{FieldPath, LONGEST_PATH, PathError};

/// A set of fields, as dotted paths: `spec.containers[*].image`,
/// `metadata.annotations['example.com/team']`, and `spec.containers[name=proxy].image` for the
/// elements of a list that have a certain text.
///
/// Cheap to clone: every object and every recorded read has one.
///
/// An object's identity (`apiVersion`, `kind`, `metadata.name`, `metadata.namespace`,
/// `metadata.uid`) is in every set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fields {
    /// Every field, except `metadata.managedFields` and `metadata.resourceVersion`, which no plugin
    /// sees.
    Whole,
    /// These paths and the identity.
    Some(Arc<Tree>),
}

/// Paths, merged into a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Whether everything from here down is in the set.
    all: bool,
    keys: BTreeMap<String, Tree>,
    each: Option<Box<Tree>>,
    /// The fields of elements in which a key has a certain value, by key and value.
    only: BTreeMap<(String, String), Tree>,
}

const IDENTITY: [&str; 3] = ["name", "namespace", "uid"];

// === impl Fields ===

impl Fields {
    /// Parses dotted paths; without any path the set has the identity alone.
    ///
    /// # Errors
    /// When a path is not valid.
    pub fn parse<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Result<Self, PathError> {
        let mut tree = Tree::identity();
        for path in paths {
            tree.insert(FieldPath::parse(path.as_ref())?.steps());
        }
        Ok(Self::Some(Arc::new(tree)))
    }

    /// The identity alone.
    pub fn identity() -> Self {
        static ALONE: LazyLock<Arc<Tree>> = LazyLock::new(|| Arc::new(Tree::identity()));
        Self::Some(Arc::clone(&ALONE))
    }

    /// The union of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Some(a), Self::Some(b)) => {
                let mut tree = Tree::clone(a);
                tree.merge(b);
                Self::Some(Arc::new(tree))
            }
            _ => Self::Whole,
        }
    }

    /// Whether every field of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole, _) => true,
            (Self::Some(_), Self::Whole) => false,
            (Self::Some(a), Self::Some(b)) => a.covers(b),
        }
    }

    /// Whether the field at this path is in this set, with everything below it.
    pub fn contains(&self, path: &FieldPath) -> bool {
        match self {
            Self::Whole => true,
            Self::Some(tree) => {
                let mut one = Tree::default();
                one.insert(path.steps());
                tree.covers(&one)
            }
        }
    }

    /// Projects an object to this set. Elements of lists keep their places, unless only some of
    /// them are in the set.
    #[must_use]
    pub fn project(&self, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Some(tree) => tree.project(object).unwrap_or_else(|| Value::Object(Map::new())),
        }
    }

    /// Projects the canonical text of an object to this set.
    #[must_use]
    pub fn project_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self {
            Self::Whole => Cow::Borrowed(text),
            Self::Some(tree) => Cow::Owned(text::project(tree, text).unwrap_or_else(|| "{}".into())),
        }
    }
}

impl Hash for Fields {
    /// Does not hash the tree: reads that differ in their fields alone are few, and hashing trees
    /// takes time.
    fn hash<H: Hasher>(&self, state: &mut H) {
        matches!(self, Self::Whole).hash(state);
    }
}

// === impl Tree ===

impl Tree {
    fn identity() -> Self {
        let mut tree = Self::default();
        for key in ["apiVersion", "kind"] {
            tree.insert(&[Step::Key(key.into())]);
        }
        for key in IDENTITY {
            tree.insert(&[Step::Key("metadata".into()), Step::Key(key.into())]);
        }
        tree
    }

    fn insert(&mut self, path: &[Step]) {
        match path.split_first() {
            None => self.all = true,
            Some((Step::Key(key), rest)) => self.keys.entry(key.clone()).or_default().insert(rest),
            Some((Step::Each, rest)) => self.each.get_or_insert_default().insert(rest),
            Some((Step::Only(key, value), rest)) => {
                let only = self.only.entry((key.clone(), value.clone())).or_default();
                // Keeps the key, so that a second projection finds the element again.
                only.insert(&[Step::Key(key.clone())]);
                only.insert(rest);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        for (key, tree) in &other.keys {
            self.keys.entry(key.clone()).or_default().merge(tree);
        }
        if let Some(each) = &other.each {
            self.each.get_or_insert_default().merge(each);
        }
        for (which, tree) in &other.only {
            self.only.entry(which.clone()).or_default().merge(tree);
        }
    }

    fn covers(&self, other: &Self) -> bool {
        self.all
            || (!other.all
                && other.keys.iter().all(|(key, tree)| self.keys.get(key).is_some_and(|own| own.covers(tree)))
                && other.each.as_ref().is_none_or(|each| self.each.as_ref().is_some_and(|own| own.covers(each)))
                && other.only.iter().all(|(which, tree)| {
                    let mut own = self.only.get(which).into_iter().chain(self.each.as_deref());
                    own.any(|own| own.covers(tree))
                }))
    }

    fn project(&self, value: &Value) -> Option<Value> {
        if self.all {
            return Some(value.clone());
        }
        match value {
            Value::Object(map) => {
                let kept: Map<String, Value> = self
                    .keys
                    .iter()
                    .filter_map(|(key, tree)| Some((key.clone(), tree.project(map.get(key)?)?)))
                    .collect();
                // An object without any of the fields stays visible: "empty" is not "absent".
                Some(Value::Object(kept))
            }
            Value::Array(items) => {
                if self.each.is_none() && self.only.is_empty() {
                    return None;
                }
                let kept = |item| self.for_element(item).map(|tree| tree.project(item).unwrap_or(Value::Null));
                Some(items.iter().filter_map(kept).collect())
            }
            _ => None,
        }
    }

    /// The fields that are kept of an element of a list; `None`: the element is left out.
    fn for_element(&self, item: &Value) -> Option<Cow<'_, Self>> {
        let only = self.only.iter().filter(|((key, value), _)| item[key].as_str() == Some(value)).map(|(_, tree)| tree);
        only.chain(self.each.as_deref()).fold(None, |kept, tree| match kept {
            None => Some(Cow::Borrowed(tree)),
            Some(mut all) => {
                all.to_mut().merge(tree);
                Some(all)
            }
        })
    }
}

#[cfg(test)]
mod tests;
