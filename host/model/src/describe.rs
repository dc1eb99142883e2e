//! A plugin's description of itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::Fields;
use crate::kind::Kind;

/// A way of accessing the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read through `cluster`.
    Read,
    /// Have objects applied, repaired after drift, and pruned.
    Apply,
    /// Set fields of objects that other parties own.
    Patch,
    /// Delete objects that other parties own.
    Delete,
}

/// One access that a plugin declares, and why it needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The kind.
    pub kind: Kind,
    /// The access.
    pub access: Access,
    /// The reason, for the person who grants it.
    pub why: String,
}

/// A named set of fields of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet {
    /// The kind.
    pub kind: Kind,
    /// The fields.
    pub fields: Fields,
}

/// A plugin's description, parsed and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The plugin's own name, e.g. `mtls`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// The kind of its subjects, unless the configuration names another.
    pub subject: Kind,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    /// Every access that it declares.
    pub needs: Vec<Need>,
    /// Field sets by name.
    pub field_sets: BTreeMap<String, FieldSet>,
    /// What it requests over HTTPS, a sentence each; empty: every request is denied.
    pub http: Vec<String>,
    /// The names of the credentials that it uses.
    pub credentials: Vec<String>,
    /// What it uses renderers for, a word each; empty: it may call no renderer.
    pub renderers: Vec<String>,
    /// Whether it has a `finalize` function, to be called before a subject is deleted.
    pub finalizes: bool,
}

impl Description {
    /// Whether the plugin declares this access to this kind.
    pub fn declares(&self, access: Access, kind: &Kind) -> bool {
        self.needs.iter().any(|need| need.access == access && need.kind == *kind)
    }

    /// The kinds to which the plugin declares this access.
    pub fn kinds(&self, access: Access) -> impl Iterator<Item = &Kind> {
        self.needs.iter().filter(move |need| need.access == access).map(|need| &need.kind)
    }

    /// The fields of a kind that its declared reads can see: the union of the kind's field sets, or
    /// the whole object if it declares no field set for the kind.
    pub fn visible(&self, kind: &Kind) -> Fields {
        let mut sets = self.field_sets.values().filter(|set| set.kind == *kind).map(|set| &set.fields);
        let Some(first) = sets.next() else { return Fields::Whole };
        sets.fold(first.clone(), |union, fields| union.union(fields))
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Apply => "apply",
            Self::Patch => "patch",
            Self::Delete => "delete",
        })
    }
}
