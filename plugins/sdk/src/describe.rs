//! The description of a reconciler.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::identity::Kind;

/// An operation on the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read objects.
    Read,
    /// Apply objects, repair their drift, and prune them.
    Apply,
    /// Set fields of another party's objects.
    Patch,
    /// Delete another party's objects.
    Delete,
}

/// A kind that a reconciler uses, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The kind.
    pub kind: Kind,
    /// How it is used.
    pub access: Access,
    /// The reason, for the operator who grants it.
    pub why: String,
}

/// A named set of fields of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSet {
    /// Its name in reads.
    pub name: String,
    /// The kind that has the fields.
    pub kind: Kind,
    /// Dotted paths, e.g. `spec.containers[*].image`, or `spec.containers[name=a].image` for only
    /// some elements of a list.
    pub paths: Vec<String>,
}

/// What a reconciler is and what it needs. It must declare everything that it reads or wants to
/// write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) subject: Kind,
    pub(crate) needs: Vec<Need>,
    pub(crate) field_sets: Vec<FieldSet>,
    pub(crate) http: Vec<String>,
    pub(crate) credentials: Vec<String>,
    pub(crate) renderers: Vec<String>,
    pub(crate) finalizes: bool,
}

impl Description {
    /// A reconciler for subjects of a kind, which needs nothing yet.
    pub fn new(name: &str, version: &str, summary: &str, subject: Kind) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            subject,
            needs: Vec::new(),
            field_sets: Vec::new(),
            credentials: Vec::new(),
            http: Vec::new(),
            renderers: Vec::new(),
            finalizes: false,
        }
    }

    /// Declares reads of whole objects. Prefer [`Description::reads_fields`]: fields that are not
    /// read use no memory and cause no calls.
    #[must_use]
    pub fn reads(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Read, why)
    }

    /// Declares reads of these fields of a kind, under the name of a field set.
    #[must_use]
    pub fn reads_fields(mut self, set: &str, kind: Kind, paths: &[&str], why: &str) -> Self {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        self.field_sets.push(FieldSet { name: set.to_owned(), kind: kind.clone(), paths });
        self.needs(kind, Access::Read, why)
    }

    /// Declares that objects of a kind are applied.
    #[must_use]
    pub fn applies(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Apply, why)
    }

    /// Declares that fields of another party's objects of a kind are set.
    #[must_use]
    pub fn patches(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Patch, why)
    }

    /// Declares that another party's objects of a kind are deleted.
    #[must_use]
    pub fn deletes(self, kind: Kind, why: &str) -> Self {
        self.needs(kind, Access::Delete, why)
    }

    /// Declares HTTPS requests, in a sentence for the operator who grants the hosts, e.g. `the
    /// status of the certificate's order`. The operator decides which hosts are granted: see
    /// [`http`](crate::http).
    #[must_use]
    pub fn http(mut self, what: &str) -> Self {
        self.http.push(what.to_owned());
        self
    }

    /// Declares a credential for requests, by the name that the configuration gives to a Secret.
    /// The reconciler never sees the Secret.
    #[must_use]
    pub fn credential(mut self, name: &str) -> Self {
        self.credentials.push(name.to_owned());
        self
    }

    /// Declares calls of renderers, in a word for the operator who grants them, e.g. `charts`. The
    /// operator decides by labels which renderers are granted: see [`renderers`](crate::renderers).
    #[must_use]
    pub fn renderer(mut self, what: &str) -> Self {
        self.renderers.push(what.to_owned());
        self
    }

    /// Declares that [`finalize`](crate::Reconciler::finalize) must be called before a subject is
    /// deleted.
    #[must_use]
    pub fn finalizes(mut self) -> Self {
        self.finalizes = true;
        self
    }

    /// Whether it declares this access to a kind.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn declares(&self, access: Access, kind: &Kind) -> bool {
        self.needs.iter().any(|need| need.access == access && need.kind == *kind)
    }

    fn needs(mut self, kind: Kind, access: Access, why: &str) -> Self {
        let need = Need { kind, access, why: why.to_owned() };
        if !self.needs.iter().any(|own| (&own.kind, own.access) == (&need.kind, access)) {
            self.needs.push(need);
        }
        self
    }
}

/// The JSON Schema of a configuration, with its references inlined, so that readers and validators
/// need not follow any. (Only a type that contains itself keeps one.)
#[cfg_attr(
    not(any(target_arch = "wasm32", test)),
    expect(dead_code, reason = "natively only tests use a description's schema")
)]
pub(crate) fn config_schema<C: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<C>().to_value()
}
