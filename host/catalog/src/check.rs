//! Whether a plugin and its configuration fit each other.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use mizzen_config::{Problem, Reconciler};
use mizzen_model::{Access, Description, Kind, Need};

/// Everything that does not fit: configuration against the plugin's schema, grants against its needs, its own declarations against
/// each other.
pub(crate) fn check(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let mut problems = config(reconciler, description);
    problems.extend(grants(reconciler, description));
    problems.extend(field_sets(reconciler, description));
    problems.extend(renderers(reconciler, description));
    problems.extend(network(reconciler, description));
    problems.extend(subject(reconciler, description));
    problems
}

fn renderers(reconciler: &Reconciler, description: &Description) -> Option<Problem> {
    let missing = !description.renderers.is_empty() && reconciler.grants.renderers.is_none();
    missing.then(|| {
        let what = description.renderers.join(", ");
        let message = format!(
            "the plugin calls renderers ({what}): add `renderers: {{matchLabels: {{…}}}}` with the labels of those that it may"
        );
        reconciler.problem("spec.grants.renderers", message)
    })
}

fn network(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let granted = &reconciler.grants.network;
    let hosts = (!description.http.is_empty() && granted.hosts.is_empty()).then(|| {
        let what = description.http.join("; ");
        let message =
            format!("the plugin sends HTTPS requests ({what}): add `- {{host: …}}` for each host that it may ask");
        reconciler.problem("spec.grants.http", message)
    });
    let missing = description.credentials.iter().filter(|name| !granted.credentials.contains_key(*name));
    let say = |name: &String| {
        let message = format!(
            "the plugin asks for a credential `{name}`: add `{name}: {{secret: {{namespace: …, name: …, key: …}}}}`, and name it at the hosts that are sent it"
        );
        reconciler.problem("spec.grants.credentials", message)
    };
    hosts.into_iter().chain(missing.map(say)).collect()
}

/// What the plugin's schema says of the configuration, each violation with its field.
pub(crate) fn config(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let schema = match jsonschema::validator_for(&description.config_schema) {
        Ok(schema) => schema,
        Err(error) => {
            let message = format!("the plugin's own configuration schema is wrong: {error}");
            return vec![reconciler.problem("spec.config", message)];
        }
    };
    let violations = schema.iter_errors(&reconciler.config).flat_map(|error| violation(&error));
    violations.map(|(field, message)| reconciler.problem(&field, message)).collect()
}

fn violation(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let at = field(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| (format!("{at}.{name}"), "the plugin knows no such field".to_owned()))
            .collect(),
        ValidationErrorKind::Required { property } => {
            vec![(format!("{at}.{}", property.as_str().unwrap_or_default()), "is missing".to_owned())]
        }
        _ => vec![(at, error.to_string())],
    }
}

/// `/routes/1` of a configuration as `spec.config.routes[1]`.
fn field(pointer: &str) -> String {
    let step = |path: String, step: &str| match step.parse::<usize>() {
        Ok(at) => format!("{path}[{at}]"),
        Err(_) => format!("{path}.{}", step.replace("~1", "/").replace("~0", "~")),
    };
    pointer.split('/').skip(1).fold("spec.config".to_owned(), step)
}

fn grants(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let missing = description
        .needs
        .iter()
        .filter(|need| reconciler.grants.of(need.access).iter().all(|grant| grant.kind != need.kind));
    let say = |need: &Need| {
        let Need { kind, access, why } = need;
        let message = format!(
            "the plugin needs to {access} {kind} ({why}): add `- {{apiVersion: {}, kind: {}}}`",
            kind.api_version, kind.name
        );
        reconciler.problem(&format!("spec.grants.{access}"), message)
    };
    missing.map(say).collect()
}

/// A field set of a kind that the plugin never reads is a mistake of its author's, and a read that names it would be refused.
fn field_sets(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let strays = description.field_sets.iter().filter(|(_, set)| !description.declares(Access::Read, &set.kind));
    let say = |(name, set): (&String, &mizzen_model::FieldSet)| {
        let message = format!(
            "the plugin declares a field set `{name}` of {}, which it does not declare to read: its author has to mend it",
            set.kind
        );
        reconciler.problem("spec.component", message)
    };
    strays.map(say).collect()
}

/// A subject comes with every request: plugins never see Secrets, so not that way either. One that the document names has been
/// refused with the document.
pub(crate) fn subject(reconciler: &Reconciler, description: &Description) -> Option<Problem> {
    let secret = reconciler.subject.is_none() && description.subject == Kind::new("v1", "Secret");
    let message = "the plugin asks for Secrets as its subjects, and plugins never see those: name another kind";
    secret.then(|| reconciler.problem("spec.subject", message.to_owned()))
}
