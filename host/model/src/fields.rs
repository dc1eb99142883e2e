//! Field sets: which fields of an object are kept, and which changes therefore count.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A set of fields, as dotted paths: `spec.containers[*].image`, `metadata.annotations['sidecar.istio.io/status']`.
///
/// An object's identity (`apiVersion`, `kind`, `metadata.name`, `metadata.namespace`, `metadata.uid`) is always in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fields {
    /// Every field, except those the host keeps to itself (`metadata.managedFields`, `metadata.resourceVersion`).
    Whole,
    /// These paths and the identity.
    Some(Tree),
}

/// Paths, merged into a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tree {
    /// Everything from here down is in.
    all: bool,
    keys: BTreeMap<String, Tree>,
    each: Option<Box<Tree>>,
}

/// Why a path is not one.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// Nothing between two dots, or no path at all.
    #[error("field path `{0}` has an empty step; write e.g. `spec.containers[*].image`")]
    EmptyStep(String),
    /// Something else than `[*]` or `['key']` in brackets.
    #[error("field path `{0}` has a bad bracket; write `[*]` for each element or `['a.dotted/key']`")]
    Bracket(String),
}

enum Step {
    Key(String),
    Each,
}

const IDENTITY: [&str; 3] = ["name", "namespace", "uid"];

// === impl Fields ===

impl Fields {
    /// Parses dotted paths. No path at all keeps the identity alone.
    pub fn parse<P: AsRef<str>>(paths: impl IntoIterator<Item = P>) -> Result<Self, PathError> {
        let mut tree = Tree::identity();
        for path in paths {
            tree.insert(&steps(path.as_ref())?);
        }
        Ok(Self::Some(tree))
    }

    /// The identity alone.
    pub fn identity() -> Self {
        Self::Some(Tree::identity())
    }

    /// What both sets hold together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Some(a), Self::Some(b)) => {
                let mut tree = a.clone();
                tree.merge(b);
                Self::Some(tree)
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

    /// The part of `object` that is in this set. Elements of lists keep their places.
    #[must_use]
    pub fn project(&self, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Some(tree) => tree.project(object).unwrap_or_else(|| Value::Object(Map::new())),
        }
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
    }

    fn covers(&self, other: &Self) -> bool {
        self.all
            || (!other.all
                && other.keys.iter().all(|(key, tree)| self.keys.get(key).is_some_and(|own| own.covers(tree)))
                && other.each.as_ref().is_none_or(|each| self.each.as_ref().is_some_and(|own| own.covers(each))))
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
                // An object that is there but has none of the fields stays visible: "empty" is not "absent".
                Some(Value::Object(kept))
            }
            Value::Array(items) => {
                let each = self.each.as_ref()?;
                Some(items.iter().map(|item| each.project(item).unwrap_or(Value::Null)).collect())
            }
            _ => None,
        }
    }
}

fn steps(path: &str) -> Result<Vec<Step>, PathError> {
    let bracket = || PathError::Bracket(path.to_owned());
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if end == 0 {
            return Err(PathError::EmptyStep(path.to_owned()));
        }
        steps.push(Step::Key(rest[..end].to_owned()));
        rest = &rest[end..];
        while let Some(inner) = rest.strip_prefix('[') {
            if let Some(after) = inner.strip_prefix("*]") {
                steps.push(Step::Each);
                rest = after;
            } else {
                let quoted = inner.strip_prefix('\'').ok_or_else(bracket)?;
                let (key, after) = quoted.split_once("']").ok_or_else(bracket)?;
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            }
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Ok(steps),
            None => return Err(bracket()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "cart", "namespace": "shop", "uid": "1", "annotations": {"a.b/c": "x", "d": "y"}},
            "spec": {"nodeName": "n1", "containers": [{"name": "a", "image": "i"}, {"name": "b"}]},
        })
    }

    #[test]
    fn the_identity_is_always_kept() {
        let kept = Fields::parse(["spec.nodeName"]).unwrap().project(&pod());
        assert_eq!(
            kept,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart", "namespace": "shop", "uid": "1"},
                   "spec": {"nodeName": "n1"}})
        );
    }

    #[test]
    fn each_element_of_a_list_keeps_its_place() {
        let kept = Fields::parse(["spec.containers[*].image"]).unwrap().project(&pod());
        assert_eq!(kept["spec"]["containers"], json!([{"image": "i"}, {}]));
    }

    #[test]
    fn a_key_with_dots_is_written_in_brackets() {
        let kept = Fields::parse(["metadata.annotations['a.b/c']"]).unwrap().project(&pod());
        assert_eq!(kept["metadata"]["annotations"], json!({"a.b/c": "x"}));
    }

    #[test]
    fn a_union_covers_both_and_whole_covers_all() {
        let a = Fields::parse(["spec.containers[*].image"]).unwrap();
        let b = Fields::parse(["spec.nodeName", "spec.containers[*].name"]).unwrap();
        let union = a.union(&b);
        assert!(union.covers(&a) && union.covers(&b) && !a.covers(&b));
        assert!(Fields::Whole.covers(&union) && !union.covers(&Fields::Whole));
        assert!(Fields::parse(["spec"]).unwrap().covers(&Fields::parse(["spec.nodeName"]).unwrap()));
    }

    #[test]
    fn a_bad_path_says_what_a_good_one_looks_like() {
        assert!(matches!(Fields::parse(["spec..x"]), Err(PathError::EmptyStep(_))));
        assert!(matches!(Fields::parse(["spec.a[0]"]), Err(PathError::Bracket(_))));
        assert!(matches!(Fields::parse([""]), Err(PathError::EmptyStep(_))));
        assert!(matches!(Fields::parse(["a[*]b"]), Err(PathError::Bracket(_))));
    }
}
