//! Whether a plugin and its configuration fit each other.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use mizzen_config::Reconciler;
use mizzen_model::{Description, Kind, Need};

/// Everything that does not fit: configuration against the plugin's schema, grants against its needs.
pub(crate) fn check(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let mut problems = config(reconciler, description);
    problems.extend(grants(reconciler, description));
    problems.extend(subject(reconciler, description));
    problems
}

/// What the plugin's schema says of the configuration, each violation with its field.
pub(crate) fn config(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let schema = match jsonschema::validator_for(&description.config_schema) {
        Ok(schema) => schema,
        Err(error) => return vec![format!("the plugin's own configuration schema is wrong: {error}")],
    };
    schema.iter_errors(&reconciler.config).flat_map(|error| violation(&error)).collect()
}

fn violation(error: &ValidationError<'_>) -> Vec<String> {
    let at = field(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| format!("{at}.{name}: the plugin knows no such field")).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![format!("{at}.{}: is missing", property.as_str().unwrap_or_default())]
        }
        _ => vec![format!("{at}: {error}")],
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

fn grants(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let missing = description
        .needs
        .iter()
        .filter(|need| reconciler.grants.of(need.access).iter().all(|grant| grant.kind != need.kind));
    let say = |need: &Need| {
        let Need { kind, access, why } = need;
        format!(
            "spec.grants.{access}: the plugin needs to {access} {kind} ({why}): add `- {{apiVersion: {}, kind: {}}}`",
            kind.api_version, kind.name
        )
    };
    missing.map(say).collect()
}

/// A subject comes with every request: plugins never see Secrets, so not that way either. One that the document names has been
/// refused with the document.
pub(crate) fn subject(reconciler: &Reconciler, description: &Description) -> Option<String> {
    let secret = reconciler.subject.is_none() && description.subject == Kind::new("v1", "Secret");
    secret.then(|| {
        "spec.subject: the plugin asks for Secrets as its subjects, and plugins never see those: name another kind"
            .into()
    })
}
