//! Whether an access is declared by the plugin and granted by the configuration.

use mizzen_config::{Grant, PRIVILEGED};
use mizzen_model::{Access, Kind};

use super::refusal::Refusal;
use crate::plugin::Plugin;

/// Checks that an access to a kind is declared, and granted at least in some namespace. Nothing is looked up before.
///
/// # Errors
/// [`Refusal::Denied`]: it is not.
pub(super) fn permit_kind(plugin: &Plugin, access: Access, kind: &Kind) -> Result<(), Refusal> {
    if plugin.invoke.description().declares(access, kind)
        && plugin.reconciler.grants.of(access).iter().any(|grant| grant.kind == *kind)
    {
        return Ok(());
    }
    permit(plugin, access, kind, None).map(drop)
}

/// Returns the grant of an access.
///
/// # Errors
/// [`Refusal::Denied`]: the plugin does not declare the access, or the configuration does not grant it.
pub(super) fn permit<'p>(
    plugin: &'p Plugin,
    access: Access,
    kind: &Kind,
    namespace: Option<&str>,
) -> Result<&'p Grant, Refusal> {
    let name = plugin.name();
    if !plugin.invoke.description().declares(access, kind) {
        let message = format!("`{name}` wants to {access} {kind}, which it did not declare in `describe`");
        return Err(Refusal::Denied(message));
    }
    plugin.reconciler.grants.find(access, kind, namespace).ok_or_else(|| {
        let place = namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
        let must_be_named = namespace.is_some_and(|own| PRIVILEGED.contains(&own));
        let how = if must_be_named { ", with this namespace in its `namespaces`" } else { "" };
        Refusal::Denied(format!(
            "`{name}` wants to {access} {kind}{place}, which is not granted: add it to `spec.grants.{access}`{how}"
        ))
    })
}
