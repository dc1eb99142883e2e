//! What a plugin says of itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Fields, Kind};

/// What a plugin may do with a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read through `cluster`.
    Read,
    /// Have objects applied, kept and pruned.
    Apply,
    /// Set fields of objects that others own.
    Patch,
    /// Delete objects that are not its own.
    Delete,
}

/// One thing a plugin may ever touch, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What.
    pub kind: Kind,
    /// How.
    pub access: Access,
    /// Why, for the operator who grants it.
    pub why: String,
}

/// A named set of fields of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet {
    /// The kind it is of.
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
    /// The kind it is asked about unless the configuration names another.
    pub subject: Kind,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    /// Everything it may ever touch.
    pub needs: Vec<Need>,
    /// Field sets by name.
    pub field_sets: BTreeMap<String, FieldSet>,
    /// What it asks for over HTTPS, a sentence each; empty: every request is denied.
    pub http: Vec<String>,
    /// Names of credentials that its requests are sent with.
    pub credentials: Vec<String>,
    /// What it asks renderers for, a word each; empty: none is there for it.
    pub renderers: Vec<String>,
    /// Whether it must be asked before a subject goes away.
    pub finalizes: bool,
}

impl Description {
    /// Whether it declared this access to this kind.
    pub fn declares(&self, access: Access, kind: &Kind) -> bool {
        self.needs.iter().any(|need| need.access == access && need.kind == *kind)
    }

    /// The kinds it declared this access to.
    pub fn kinds(&self, access: Access) -> impl Iterator<Item = &Kind> {
        self.needs.iter().filter(move |need| need.access == access).map(|need| &need.kind)
    }

    /// The fields of a kind that its declared reads can see: the union of the kind's field sets, or the whole object when it
    /// declared none for it.
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
