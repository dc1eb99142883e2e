//! Whether a plugin and its configuration fit each other.

use mizzen_config::Reconciler;
use mizzen_model::Description;

/// Everything that does not fit: configuration against the plugin's schema, grants against its needs.
pub(crate) fn check(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let mut problems = config(reconciler, description);
    problems.extend(grants(reconciler, description));
    problems
}

fn config(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let schema = match jsonschema::validator_for(&description.config_schema) {
        Ok(schema) => schema,
        Err(error) => return vec![format!("the plugin's own configuration schema is wrong: {error}")],
    };
    let at = |pointer: &str| pointer.split('/').skip(1).fold("spec.config".to_owned(), |path, step| path + "." + step);
    schema
        .iter_errors(&reconciler.config)
        .map(|error| format!("{}: {error}", at(error.instance_path().as_str())))
        .collect()
}

fn grants(reconciler: &Reconciler, description: &Description) -> Vec<String> {
    let missing = description
        .needs
        .iter()
        .filter(|need| reconciler.grants.of(need.access).iter().all(|grant| grant.kind != need.kind));
    let say = |need: &mizzen_model::Need| {
        let mizzen_model::Need { kind, access, why } = need;
        format!(
            "spec.grants.{access}: the plugin needs to {access} {kind} ({why}): add `- {{apiVersion: {}, kind: {}}}`",
            kind.api_version, kind.name
        )
    };
    missing.map(say).collect()
}
