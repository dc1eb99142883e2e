//! What a reconciler says of itself.

use crate::Kind;

/// What may be done with a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Have objects of it applied, kept and pruned.
    Apply,
    /// Set fields of objects that others own.
    Patch,
    /// Delete objects of others.
    Delete,
}

/// One thing a reconciler may ever touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// What.
    pub kind: Kind,
    /// How.
    pub access: Access,
    /// Why, for whoever grants it.
    pub why: String,
}

/// A named set of fields of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet {
    /// Its name in reads.
    pub name: String,
    /// The kind it is of.
    pub kind: Kind,
    /// Dotted paths, e.g. `spec.containers[*].image`.
    pub paths: Vec<String>,
}

/// What a reconciler is and what it needs. Everything it reads or wants to write must be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) subject: Kind,
    pub(crate) needs: Vec<Need>,
    pub(crate) field_sets: Vec<FieldSet>,
    pub(crate) finalizes: bool,
}

impl Description {
    /// A reconciler that is asked about `subject` and needs nothing yet.
    pub fn new(name: &str, version: &str, summary: &str, subject: Kind) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            subject,
            needs: Vec::new(),
            field_sets: Vec::new(),
            finalizes: false,
        }
    }

    /// It reads whole objects of a kind. Prefer [`Description::reads_fields`]: what is not read costs nothing and wakes nobody.
    #[must_use]
    pub fn reads(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Read, why)
    }

    /// It reads these fields of a kind, under the name of a field set.
    #[must_use]
    pub fn reads_fields(mut self, set: &str, kind: Kind, paths: &[&str], why: &str) -> Self {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        self.field_sets.push(FieldSet { name: set.to_owned(), kind: kind.clone(), paths });
        self.needs(kind, Access::Read, why)
    }

    /// It wants objects of a kind.
    #[must_use]
    pub fn applies(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Apply, why)
    }

    /// It sets fields of other people's objects of a kind.
    #[must_use]
    pub fn patches(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Patch, why)
    }

    /// It deletes other people's objects of a kind.
    #[must_use]
    pub fn deletes(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Delete, why)
    }

    /// It must be asked before a subject goes.
    #[must_use]
    pub fn finalizes(mut self) -> Self {
        self.finalizes = true;
        self
    }

    fn needs(mut self, kind: Kind, access: Access, why: &str) -> Self {
        let need = Need { kind, access, why: why.to_owned() };
        if !self.needs.iter().any(|own| (&own.kind, own.access) == (&need.kind, access)) {
            self.needs.push(need);
        }
        self
    }
}
