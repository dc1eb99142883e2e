//! Who may call an application: its own pods, the ingress gateway, and Prometheus.

use std::collections::BTreeSet;

use mizzen_oam_api::{APP, authorization_policy};
use mizzen_sdk::{Kind, object};
use serde_json::{Value, json};

use crate::config::{Account, Config};
use crate::pods::Pods;

/// The default account of pods: shared by the namespace, so it identifies no application.
pub(crate) const DEFAULT: &str = "default";

pub(crate) fn service_account() -> Kind {
    Kind::new("v1", "ServiceAccount")
}

/// The account for the application's pods.
pub(crate) fn account(namespace: &str, app: &str) -> Value {
    object(&service_account(), Some(namespace), app, json!({"metadata": {"labels": {APP: app}}}))
}

/// Allows the application's own accounts (the one created for it, and those that its pods use
/// instead), the ingress gateway and Prometheus.
pub(crate) fn policy(config: &Config, namespace: &str, app: &str, pods: &Pods) -> Value {
    let principal = |namespace: &str, name: &str| format!("{}/ns/{namespace}/sa/{name}", config.trust_domain);
    let of = |account: &Account| principal(&account.namespace, &account.name);
    let mut principals =
        BTreeSet::from([principal(namespace, app), of(&config.ingress_gateway), of(&config.prometheus)]);
    principals.extend(pods.accounts().filter(|own| *own != DEFAULT).map(|own| principal(namespace, own)));
    let spec = json!({
        "selector": {"matchLabels": {APP: app}},
        "action": "ALLOW",
        "rules": [{"from": [{"source": {"principals": principals}}]}],
    });
    object(&authorization_policy(), Some(namespace), app, json!({"spec": spec}))
}

/// A warning about pods with the default account: they are denied, and can't be distinguished from
/// other pods of the namespace.
pub(crate) fn problem(app: &str, pods: &Pods) -> Option<String> {
    let anonymous = pods.running_as(DEFAULT);
    let first = anonymous.first()?;
    Some(format!(
        "{} pods run as ServiceAccount `default` and can't call their own application, among them \
         {first}: set `serviceAccountName: {app}` in their template",
        anonymous.len()
    ))
}
