//! From a document to a [`Reconciler`] or a [`Renderer`](crate::Renderer): what a schema can't say.

mod http;
mod pace;
mod renderer;

use std::path::PathBuf;
use std::time::Duration;

use mizzen_model::yaml::Document;
use mizzen_model::{Kind, Selector};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::document::{GrantSpec, LimitsSpec, ModeSpec, ReconcilerSpec, SubjectSpec};
use crate::problem::Problem;
use crate::quantity;
use crate::reconciler::{Component, Grant, Grants, Limits, Mode, Origin, Reconciler, Subject};
use crate::shape::{self, Shape};

pub(crate) use http::is_name;

/// The longest name: it is part of labels (63) and field managers, with room for what we put before it.
const LONGEST_NAME: usize = 40;

/// The longest that a call may be given: stops a configuration that lets a guest which never returns hold its place for ever.
const LONGEST_CALL: Duration = Duration::from_mins(10);

const NO_SECRETS: &str =
    "plugins never see Secrets: a plugin that needs one asks for a credential, which the host uses for it";

/// Collects what is wrong with one document.
pub(crate) struct Checker<'a> {
    document: &'a Document,
    name: String,
    from_file: bool,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(document: &'a Document, origin: &Origin) -> Self {
        let name = document.value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Self { document, name, from_file: matches!(origin, Origin::File { .. }), problems: Vec::new() }
    }

    /// Notes a problem at a field.
    pub(crate) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(problem(self.document, self.from_file, &self.name, field, message.into()));
    }

    /// The reconciler, unless something is wrong.
    pub(crate) fn reconciler(&mut self, origin: Origin) -> Option<Reconciler> {
        self.name();
        let spec: ReconcilerSpec = self.spec(&shape::RECONCILER)?;
        let reconciler = Reconciler {
            name: self.name.clone(),
            origin,
            generation: self.document.value["metadata"]["generation"].as_i64().unwrap_or(0),
            component: self.component(&spec.component.file),
            subject: spec.subject.map(|subject| self.subject(subject)),
            after: self.others("spec.after", spec.after),
            after_any: self.others("spec.afterAny", spec.after_any),
            config: Value::Object(spec.config),
            grants: Grants {
                read: self.grants("read", spec.grants.read),
                apply: self.grants("apply", spec.grants.apply),
                patch: self.grants("patch", spec.grants.patch),
                delete: self.grants("delete", spec.grants.delete),
                renderers: spec.grants.renderers.map(|grant| {
                    Selector::all_of(grant.match_labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
                }),
                network: self.network(spec.grants.http, spec.grants.credentials),
            },
            limits: self.limits(&spec.limits),
            pace: self.paces(spec.pace),
            mode: match spec.mode {
                ModeSpec::Enforce => Mode::Enforce,
                ModeSpec::Plan => Mode::Plan,
                ModeSpec::Paused => Mode::Paused,
            },
        };
        self.problems.is_empty().then_some(reconciler)
    }

    /// The document's `spec`, as far as it has the shape of its kind.
    fn spec<Spec: DeserializeOwned>(&mut self, shape: &Shape) -> Option<Spec> {
        let spec = &self.document.value["spec"];
        if !spec.is_object() {
            self.wrong("spec", "is missing");
            return None;
        }
        for (field, message) in shape.strays(&self.document.value) {
            self.wrong(&field, message);
        }
        let violations = shape.violations(spec);
        let rest = without(spec, &violations);
        for (field, message) in violations {
            self.wrong(&field, message);
        }
        serde_json::from_value(rest).map_err(|error| self.wrong("spec", error.to_string())).ok()
    }

    fn name(&mut self) {
        let name = self.name.clone();
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() {
            self.wrong("metadata.name", "is missing");
        } else if name.len() > LONGEST_NAME || !name.chars().all(inner) || name.starts_with('-') || name.ends_with('-')
        {
            let message = format!(
                "`{name}` must be at most {LONGEST_NAME} lower-case letters, digits and hyphens: it becomes part of labels"
            );
            self.wrong("metadata.name", message);
        }
    }

    fn component(&mut self, file: &str) -> Component {
        let path = PathBuf::from(file);
        // Whoever can write a Reconciler must not thereby read any file of the host.
        let leaves = path.is_absolute() || path.components().any(|step| step == std::path::Component::ParentDir);
        if leaves && !self.from_file {
            self.wrong("spec.component.file", format!("`{file}` leaves the host's plugin folder: name a file in it"));
        } else if file.is_empty() {
            self.wrong("spec.component.file", "is empty");
        }
        Component::File(path)
    }

    fn subject(&mut self, subject: SubjectSpec) -> Subject {
        self.kind("spec.subject", &subject.api_version, &subject.kind);
        let kind = Kind::new(subject.api_version, subject.kind);
        // The subject comes with every request: what can't be read can't be that either.
        if kind == Kind::new("v1", "Secret") {
            self.wrong("spec.subject.kind", NO_SECRETS);
        }
        let labels = Selector::parse(&subject.label_selector).unwrap_or_else(|error| {
            self.wrong("spec.subject.labelSelector", error.to_string());
            Selector::everything()
        });
        Subject { kind, labels, namespaces: subject.namespaces }
    }

    /// No kind is a pattern: a `*` would grant nothing, and look as if it granted everything.
    fn kind(&mut self, at: &str, api_version: &str, kind: &str) {
        let versioned = api_version.split('/').count() <= 2 && api_version.split('/').all(|part| !part.is_empty());
        if !versioned || api_version.contains('*') {
            let message = format!("`{api_version}` is no version; write e.g. `v1` or `apps/v1`");
            self.wrong(&format!("{at}.apiVersion"), message);
        }
        if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            self.wrong(&format!("{at}.kind"), format!("`{kind}` is no kind; write e.g. `ConfigMap`, one at a time"));
        }
    }

    fn others(&mut self, field: &str, names: Vec<String>) -> Vec<String> {
        for (at, name) in names.iter().enumerate() {
            if *name == self.name {
                self.wrong(&format!("{field}[{at}]"), "a reconciler can't come after itself");
            } else if names[..at].contains(name) {
                self.wrong(&format!("{field}[{at}]"), format!("`{name}` is named twice"));
            }
        }
        names
    }

    fn grants(&mut self, access: &str, grants: Vec<GrantSpec>) -> Vec<Grant> {
        let mut granted = Vec::new();
        for (at, grant) in grants.into_iter().enumerate() {
            let field = format!("spec.grants.{access}[{at}]");
            self.kind(&field, &grant.api_version, &grant.kind);
            let kind = Kind::new(grant.api_version, grant.kind);
            if access == "read" && kind == Kind::new("v1", "Secret") {
                self.wrong(&field, NO_SECRETS);
            }
            if grant.force && access != "apply" {
                self.wrong(&format!("{field}.force"), "only an apply can be forced");
            }
            granted.push(Grant { kind, namespaces: grant.namespaces, force: grant.force });
        }
        granted
    }

    fn limits(&mut self, limits: &LimitsSpec) -> Limits {
        let defaults = Limits::default();
        Limits {
            memory: self.amount("memory", limits.memory.as_deref(), defaults.memory, 1 << 30),
            time: self.time(limits.time.as_deref(), defaults.time),
            outcome: self.amount("outcome", limits.outcome.as_deref(), defaults.outcome, 64 << 20),
            reads: limits.reads.unwrap_or(defaults.reads),
            requests: limits.requests.unwrap_or(defaults.requests),
        }
    }

    /// A limit in bytes.
    fn amount(&mut self, field: &str, text: Option<&str>, default: u64, most: u64) -> u64 {
        let wrong = match text.map(quantity::bytes) {
            None => return default,
            Some(Ok(amount)) if amount <= most => return amount,
            Some(Ok(_)) => format!("is more than the host allows, {} MiB", most >> 20),
            Some(Err(message)) => message,
        };
        self.wrong(&format!("spec.limits.{field}"), wrong);
        default
    }

    /// The limit `time`.
    fn time(&mut self, text: Option<&str>, default: Duration) -> Duration {
        let time = text.map_or(Ok(default), quantity::duration).unwrap_or_else(|message| {
            self.wrong("spec.limits.time", message);
            default
        });
        if time > LONGEST_CALL {
            let most = LONGEST_CALL.as_secs() / 60;
            self.wrong("spec.limits.time", format!("is more than the host allows, {most}m"));
        }
        time
    }
}

/// A spec without its parts that have not the right shape, so that what is wrong with the other parts is said at the same time.
fn without(spec: &Value, violations: &[(String, String)]) -> Value {
    let mut spec = spec.clone();
    if let Some(parts) = spec.as_object_mut() {
        for (field, _) in violations {
            let part = field.split(['.', '[']).nth(1).unwrap_or_default();
            parts.remove(part);
        }
        // Nothing comes of this spec when its component was taken out: that was a problem.
        parts.entry("component").or_insert_with(|| json!({"file": "missing"}));
    }
    spec
}

/// A problem at a field of a document, with the line it stands on, or that of what it stands in.
pub(crate) fn problem(document: &Document, from_file: bool, name: &str, field: &str, message: String) -> Problem {
    Problem {
        kind: document.value["kind"].as_str().unwrap_or_default().to_owned(),
        name: name.to_owned(),
        file: from_file.then(|| document.file.clone()),
        line: from_file.then(|| document.lines().line(field)),
        field: field.to_owned(),
        message,
    }
}
