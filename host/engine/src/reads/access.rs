//! What a plugin may read: what it declares in `describe` and the configuration grants.

use mizzen_model::{Access, AccessError, Fields, HttpRequest, Kind, Selector};

use crate::plugin::Plugin;

/// The fields that a read of a kind returns; `set` names a field set of the plugin.
///
/// # Errors
/// [`AccessError::Denied`] if the read is not declared or not granted, [`AccessError::Invalid`] if the field set is of
/// another kind.
pub(super) fn readable_fields(
    plugin: &Plugin,
    kind: &Kind,
    namespace: Option<&str>,
    set: Option<&str>,
) -> Result<Fields, AccessError> {
    let (name, description) = (plugin.name(), plugin.invoke.description());
    if *kind == Kind::new("v1", "Secret") {
        return Err(AccessError::Denied("plugins never see Secrets; declare a credential instead".into()));
    }
    if !description.declares(Access::Read, kind) {
        return Err(AccessError::Denied(format!("`{name}` did not declare reading {kind} in `describe`")));
    }
    if plugin.reconciler.grants.find(Access::Read, kind, namespace).is_none() {
        let place = namespace.map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
        return Err(AccessError::Denied(format!("reading {kind} in {place} is not granted to `{name}`")));
    }
    match (set, description.visible(kind)) {
        (Some(set), _) => match description.field_sets.get(set) {
            Some(declared) if declared.kind == *kind => Ok(declared.fields.clone()),
            Some(declared) => {
                Err(AccessError::Invalid(format!("field set `{set}` is of {}, not of {kind}", declared.kind)))
            }
            None => Err(AccessError::Denied(format!("`{name}` did not declare a field set `{set}`"))),
        },
        (None, Fields::Whole) => Ok(Fields::Whole),
        (None, Fields::Some(_)) => {
            Err(AccessError::Denied(format!("`{name}` declared field sets of {kind}: name one of them")))
        }
    }
}

/// Checks that a plugin declares a kind in any way: its look-up costs the host memory and requests.
///
/// # Errors
/// [`AccessError::Denied`] if it does not.
pub(super) fn declares_kind(plugin: &Plugin, kind: &Kind) -> Result<(), AccessError> {
    let description = plugin.invoke.description();
    if description.subject == *kind || description.needs.iter().any(|need| need.kind == *kind) {
        return Ok(());
    }
    Err(AccessError::Denied(format!("`{}` did not declare {kind} in `describe`", plugin.name())))
}

/// The labels of the renderers that a plugin may call.
///
/// # Errors
/// [`AccessError::Denied`] if it does not declare calling renderers, or none is granted.
pub(super) fn granted_renderers(plugin: &Plugin) -> Result<&Selector, AccessError> {
    let name = plugin.name();
    if plugin.invoke.description().renderers.is_empty() {
        return Err(AccessError::Denied(format!("`{name}` did not declare calling renderers in `describe`")));
    }
    plugin.reconciler.grants.renderers.as_ref().ok_or_else(|| {
        AccessError::Denied(format!("no renderer is granted to `{name}`: add `spec.grants.renderers.matchLabels`"))
    })
}

/// Checks that a plugin declares sending requests, and the credential of this one.
///
/// # Errors
/// [`AccessError::Denied`] if it does not.
pub(super) fn declares_request(plugin: &Plugin, request: &HttpRequest) -> Result<(), AccessError> {
    let (name, description) = (plugin.name(), plugin.invoke.description());
    if description.http.is_empty() {
        return Err(AccessError::Denied(format!("`{name}` did not declare sending requests in `describe`")));
    }
    match &request.credential {
        Some(credential) if !description.credentials.contains(credential) => {
            Err(AccessError::Denied(format!("`{name}` did not declare credential `{credential}` in `describe`")))
        }
        _ => Ok(()),
    }
}
