//! Validates a document as a [`Reconciler`] or a [`Renderer`](crate::Renderer), beyond its schema.

mod http;
mod pace;
mod renderer;

use std::path::PathBuf;
use std::time::Duration;

use mizzen_model::{Fields, Kind, Selector};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::document::{GrantSpec, LimitsSpec, ModeSpec, ReconcilerSpec, SubjectSpec};
use crate::names::{LONGEST_RECONCILER, is_reconciler_name};
use crate::problem::Problem;
use crate::quantity;
use crate::reconciler::{Component, Grant, Grants, Limits, Mode, Reconciler, Subject};
use crate::shape::{self, Shape, Violation};
use crate::site::{Site, Source};

/// The longest limit of a call: stops a configuration that lets a guest which never returns occupy
/// its slot for ever.
const LONGEST_CALL: Duration = Duration::from_mins(10);

const NO_SECRETS: &str =
    "plugins never see Secrets: a plugin that needs one declares a credential, which the host uses for it";

/// Validates one document and collects its problems.
pub(crate) struct Checker<'a> {
    site: Site<'a>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(site: Site<'a>) -> Self {
        Self { site, problems: Vec::new() }
    }

    /// Adds a problem at a field.
    pub(crate) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(self.site.problem(field, message));
    }

    /// The reconciler, if nothing is wrong.
    pub(crate) fn reconciler(&mut self) -> Option<Reconciler> {
        self.name();
        let spec: ReconcilerSpec = self.spec(&shape::RECONCILER)?;
        let reconciler = Reconciler {
            name: self.site.name().to_owned(),
            origin: self.site.origin(),
            generation: self.site.generation(),
            component: self.component(&spec.component.file),
            subject: self.subject(spec.subject),
            after: self.predecessors("spec.after", spec.after),
            after_any: self.predecessors("spec.afterAny", spec.after_any),
            config: Value::Object(spec.config),
            grants: Grants {
                read: self.grants("read", spec.grants.read),
                apply: self.grants("apply", spec.grants.apply),
                patch: self.grants("patch", spec.grants.patch),
                delete: self.grants("delete", spec.grants.delete),
                status: spec.grants.status,
                finalizer: spec.grants.finalizer,
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

    /// The valid parts of the `spec`.
    fn spec<Spec: DeserializeOwned>(&mut self, shape: &Shape) -> Option<Spec> {
        let spec = &self.site.document.value["spec"];
        if !spec.is_object() {
            self.wrong("spec", "is missing");
            return None;
        }
        let violations = shape.violations(spec);
        let rest = without(spec, shape, &violations);
        for Violation { field, message } in shape.strays(&self.site.document.value).into_iter().chain(violations) {
            self.wrong(&field, message);
        }
        serde_json::from_value(rest).map_err(|error| self.wrong("spec", error.to_string())).ok()
    }

    fn name(&mut self) {
        let name = self.site.name();
        if name.is_empty() {
            self.wrong("metadata.name", "is missing");
        } else if !is_reconciler_name(name) {
            let message = format!(
                "`{name}` must be at most {LONGEST_RECONCILER} lower-case letters, digits and hyphens: it becomes part \
                 of labels"
            );
            self.wrong("metadata.name", message);
        }
    }

    fn component(&mut self, file: &str) -> Component {
        let path = PathBuf::from(file);
        // The right to write Reconcilers must not imply the right to read any file of the host.
        let leaves = path.is_absolute() || path.components().any(|step| step == std::path::Component::ParentDir);
        if leaves && self.site.source == Source::Cluster {
            self.wrong(
                "spec.component.file",
                format!("`{file}` is outside the host's plugin folder: name a file in it"),
            );
        } else if file.is_empty() {
            self.wrong("spec.component.file", "is empty");
        }
        Component::File(path)
    }

    fn subject(&mut self, subject: SubjectSpec) -> Subject {
        let kind = self.kind("spec.subject", &subject.api_version, &subject.kind);
        // Every request has its subject: a kind that plugins must not read can not be a subject
        // either.
        if kind == Kind::new("v1", "Secret") {
            self.wrong("spec.subject.kind", NO_SECRETS);
        }
        let labels = Selector::parse(&subject.label_selector).unwrap_or_else(|error| {
            self.wrong("spec.subject.labelSelector", error.to_string());
            Selector::everything()
        });
        let fields = self.fields("spec.subject.fields", &subject.fields);
        Subject { kind, labels, namespaces: subject.namespaces, fields }
    }

    /// Kinds are not patterns: a `*` would grant nothing, and look as if it granted everything.
    fn kind(&mut self, at: &str, api_version: &str, name: &str) -> Kind {
        // Each by itself, so that both are reported.
        for parsed in [Kind::parse(api_version, "Any"), Kind::parse("v1", name)] {
            if let Err(error) = parsed {
                self.wrong(&format!("{at}.{}", error.field), error.detail());
            }
        }
        Kind::new(api_version, name)
    }

    fn predecessors(&mut self, field: &str, names: Vec<String>) -> Vec<String> {
        for (at, name) in names.iter().enumerate() {
            if name == self.site.name() {
                self.wrong(&format!("{field}[{at}]"), "a reconciler can't be its own predecessor");
            } else if names[..at].contains(name) {
                self.wrong(&format!("{field}[{at}]"), format!("`{name}` is a duplicate"));
            }
        }
        names
    }

    fn grants(&mut self, access: &str, grants: Vec<GrantSpec>) -> Vec<Grant> {
        let mut granted = Vec::new();
        for (at, grant) in grants.into_iter().enumerate() {
            let field = format!("spec.grants.{access}[{at}]");
            let kind = self.kind(&field, &grant.api_version, &grant.kind);
            if access == "read" && kind == Kind::new("v1", "Secret") {
                self.wrong(&field, NO_SECRETS);
            }
            if grant.force && access != "apply" {
                self.wrong(&format!("{field}.force"), "applies alone can have `force`");
            }
            if grant.adopt && access != "apply" {
                self.wrong(&format!("{field}.adopt"), "applies alone can have `adopt`");
            }
            if !grant.fields.is_empty() && access != "patch" {
                self.wrong(&format!("{field}.fields"), "patches alone can have `fields`");
            }
            let fields = self.fields(&format!("{field}.fields"), &grant.fields);
            let GrantSpec { namespaces, force, adopt, .. } = grant;
            granted.push(Grant { namespaces, force, adopt, fields, ..Grant::everywhere(kind) });
        }
        granted
    }

    /// The set of some fields; without any, all.
    fn fields(&mut self, at: &str, paths: &[String]) -> Fields {
        let mut fields = if paths.is_empty() { Fields::Whole } else { Fields::identity() };
        for (number, path) in paths.iter().enumerate() {
            match Fields::parse([path]) {
                Ok(one) => fields = fields.union(&one),
                Err(error) => self.wrong(&format!("{at}[{number}]"), error.to_string()),
            }
        }
        fields
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
            Some(Err(error)) => error.to_string(),
        };
        self.wrong(&format!("spec.limits.{field}"), wrong);
        default
    }

    /// The limit `time`.
    fn time(&mut self, text: Option<&str>, default: Duration) -> Duration {
        let time = text.map_or(Ok(default), quantity::duration).unwrap_or_else(|error| {
            self.wrong("spec.limits.time", error.to_string());
            default
        });
        if time > LONGEST_CALL {
            let most = LONGEST_CALL.as_secs() / 60;
            self.wrong("spec.limits.time", format!("is more than the host allows, {most}m"));
        }
        time
    }
}

/// A spec without its invalid parts, so that problems of the other parts are reported at the same
/// time.
fn without(spec: &Value, shape: &Shape, violations: &[Violation]) -> Value {
    let mut spec = spec.clone();
    if let Some(parts) = spec.as_object_mut() {
        for Violation { field, .. } in violations {
            let part = field.split(['.', '[']).nth(1).unwrap_or_default();
            parts.remove(part);
        }
        // A removed part is a problem already, so this spec is never used.
        let required = [
            ("component", json!({"file": "missing"})),
            ("subject", json!({"apiVersion": "missing", "kind": "missing"})),
        ];
        for (field, value) in required.into_iter().filter(|(field, _)| shape.has(field)) {
            parts.entry(field).or_insert(value);
        }
    }
    spec
}
