//! What a reconciler says of itself.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

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
    /// Dotted paths, e.g. `spec.containers[*].image`, or `spec.containers[name=a].image` for some elements of a list alone.
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
    pub(crate) http: Vec<String>,
    pub(crate) credentials: Vec<String>,
    pub(crate) renderers: Vec<String>,
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
            credentials: Vec::new(),
            http: Vec::new(),
            renderers: Vec::new(),
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

    /// It asks for something over HTTPS, said in a sentence for whoever grants the hosts, e.g. `the status of the certificate's order`. Which
    /// hosts it may ask the operator says: see [`http`](crate::http).
    #[must_use]
    pub fn http(mut self, what: &str) -> Self {
        self.http.push(what.to_owned());
        self
    }

    /// Its requests are sent with a credential, by the name that the configuration gives to a Secret. It never sees the Secret.
    #[must_use]
    pub fn credential(mut self, name: &str) -> Self {
        self.credentials.push(name.to_owned());
        self
    }

    /// It asks renderers for something, said in a word for whoever grants them, e.g. `charts`. Which renderers it is given the operator says,
    /// by their labels: see [`renderers`](crate::renderers).
    #[must_use]
    pub fn renderer(mut self, what: &str) -> Self {
        self.renderers.push(what.to_owned());
        self
    }

    /// It must be asked before a subject goes.
    #[must_use]
    pub fn finalizes(mut self) -> Self {
        self.finalizes = true;
        self
    }

    /// Whether it may ever do this with a kind.
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

/// The JSON Schema of a configuration, in one piece: who shows it to people or checks values by it follows no references. (Only a type
/// that contains itself keeps one.)
#[cfg_attr(
    not(any(target_arch = "wasm32", test)),
    expect(dead_code, reason = "natively nobody asks for a description's schema")
)]
pub(crate) fn config_schema<C: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<C>().to_value()
}
