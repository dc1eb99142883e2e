//! Checks whether a plugin and its configuration match.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use mizzen_config::{Problem, Reconciler};
use mizzen_model::{Access, Description, Need, field_at};

/// Everything that does not match: the configuration and the plugin's schema, the grants and its
/// needs, and its own declarations among each other.
pub(crate) fn check(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let mut problems = config(reconciler, description);
    problems.extend(grants(reconciler, description));
    problems.extend(field_sets(reconciler, description));
    problems.extend(renderers(reconciler, description));
    problems.extend(network(reconciler, description));
    problems.extend(subject(reconciler, description));
    problems.extend(finalizer(reconciler, description));
    problems
}

fn renderers(reconciler: &Reconciler, description: &Description) -> Option<Problem> {
    let missing = !description.renderers.is_empty() && reconciler.grants.renderers.is_none();
    missing.then(|| {
        let what = description.renderers.join(", ");
        let message = format!(
            "the plugin calls renderers ({what}): add `renderers: {{matchLabels: {{…}}}}` with the labels of \
             those that it may call"
        );
        reconciler.problem("spec.grants.renderers", message)
    })
}

fn network(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let granted = &reconciler.grants.network;
    let hosts = (!description.http.is_empty() && granted.hosts.is_empty()).then(|| {
        let what = description.http.join("; ");
        let message = format!(
            "the plugin sends HTTPS requests ({what}): add `- {{host: …}}` for each host that it may send requests to"
        );
        reconciler.problem("spec.grants.http", message)
    });
    let missing = description.credentials.iter().filter(|name| !granted.credentials.contains_key(*name));
    let say = |name: &String| {
        let message = format!(
            "the plugin uses a credential `{name}`: add `{name}: {{secret: {{namespace: …, name: …, key: …}}}}`, and \
             name it in `credentials` of the hosts that it may be sent to"
        );
        reconciler.problem("spec.grants.credentials", message)
    };
    hosts.into_iter().chain(missing.map(say)).collect()
}

/// The violations of the plugin's schema, each with its field.
pub(crate) fn config(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let schema = match jsonschema::validator_for(&description.config_schema) {
        Ok(schema) => schema,
        Err(error) => {
            let message = format!("the plugin's configuration schema is not valid; report this to its author: {error}");
            return vec![reconciler.problem("spec.config", message)];
        }
    };
    schema.iter_errors(&reconciler.config).flat_map(|error| violation(reconciler, &error)).collect()
}

fn violation(reconciler: &Reconciler, error: &ValidationError<'_>) -> Vec<Problem> {
    let at = field_at("spec.config", error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let message = "the plugin has no such field";
            unexpected.iter().map(|name| reconciler.problem(&format!("{at}.{name}"), message.to_owned())).collect()
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![reconciler.problem(&format!("{at}.{name}"), "is missing".to_owned())]
        }
        _ => vec![reconciler.problem(&at, error.to_string())],
    }
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

/// A field set of a kind that the plugin does not declare to read is a bug of the plugin: a read
/// with it would be denied.
fn field_sets(reconciler: &Reconciler, description: &Description) -> Vec<Problem> {
    let strays = description.field_sets.iter().filter(|(_, set)| !description.declares(Access::Read, &set.kind));
    let say = |(name, set): (&String, &mizzen_model::FieldSet)| {
        let message = format!(
            "the plugin declares a field set `{name}` of {}, but no read of that kind: this is a bug in the plugin, \
             report it to its author",
            set.kind
        );
        reconciler.problem("spec.component", message)
    };
    strays.map(say).collect()
}

/// The kind of the subject is the configuration's to choose, and the plugin must be made for it. The same kind of
/// another group or version may have the fields that the plugin uses.
pub(crate) fn subject(reconciler: &Reconciler, description: &Description) -> Option<Problem> {
    let (granted, described) = (&reconciler.subject.kind, &description.subject);
    (granted.name != described.name).then(|| {
        let message = format!(
            "is {granted}, and the plugin is called for {described}: name that kind, if the plugin may have it"
        );
        reconciler.problem("spec.subject", message)
    })
}

fn finalizer(reconciler: &Reconciler, description: &Description) -> Option<Problem> {
    (description.finalizes && !reconciler.may_add_finalizer()).then(|| {
        let kind = &reconciler.subject.kind;
        let message = format!(
            "the plugin finalizes, so each {kind} needs its finalizer, and is deleted only when the plugin agrees: add \
             `finalizer: true`"
        );
        reconciler.problem("spec.grants.finalizer", message)
    })
}
